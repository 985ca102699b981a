// What the window offers to cause trouble: a restart, an API that is down, a locked keyring.
import assert from 'node:assert/strict';
import { until } from '../../scripts/lib/until.mjs';
import { demoTest } from './demo-test.mjs';

async function signedInApp(t) {
  const app = await t.launch();
  await app.login();
  await app.shows('me-name', /\w/);
  await app.shows('persisted', 'yes');
  t.leaks.remember();
  return app;
}

demoTest('P2 restarted from its window, the app is signed in without a login', {}, async (t) => {
  const app = await signedInApp(t);
  const before = t.demo.calls('/me', 200).length;
  // The click ends the process that answers WebDriver, so the answer may be lost.
  await Promise.allSettled([
    app.browser.execute(() => document.querySelector('[data-testid="restart"]').click()),
  ]);
  await until('the new process asks who the user is', () => t.demo.calls('/me', 200).length > before);
  await app.stop();
  assert.equal(t.demo.calls('/login').length, 1);
  assert.equal(t.demo.calls('/token').length, 0);
});

demoTest('an API that is down signs nobody out, and answers again when it is up', {}, async (t) => {
  const app = await signedInApp(t);
  await app.click('api-down');
  await app.shows('api-down', 'down');
  await app.click('me-load');
  await app.shows('me-problem', 'Failed: no answer from the server.');
  await app.shows('status', 'signedIn');

  await app.click('api-down');
  await app.shows('api-down', 'up');
  const before = t.demo.calls('/me', 200).length;
  await app.click('me-load');
  await until('the API answers', () => t.demo.calls('/me', 200).length > before);
  await app.shows('status', 'signedIn');
});

demoTest(
  'P1 a keyring that is locked from the window signs nobody out, and takes the token later',
  {},
  async (t) => {
    const app = await signedInApp(t);
    await app.click('lock-keyring');
    await app.click('lock-keyring-now');
    await app.shows('store-state', 'locked');
    await app.click('rotate');
    await app.shows('error', 'locked');
    await app.shows('status', 'signedIn');
    await app.shows('memory-token', /in memory/);

    await t.demo.keyring.unlock();
    await app.shows('persisted', 'yes', { timeout: 60_000 });
    t.leaks.remember();
  },
);

demoTest('P4 two origins get the same request, and one of them the token', {}, async (t) => {
  const app = await signedInApp(t);
  await app.click('call-other');
  await app.shows('own-result', 'received the token');
  await app.shows('other-result', 'received no token');
});

demoTest('no width from 340 points on makes the page wider than its window', {}, async (t) => {
  const app = await signedInApp(t);
  const sizes = () => app.browser.execute(() => [innerWidth, document.documentElement.scrollWidth]);
  for (const width of [340, 420, 640, 900]) {
    await app.browser.setWindowSize(width, 820);
    await until(`a window of ${width} points`, async () => (await sizes())[0] === width);
    assert.deepEqual(await sizes(), [width, width]);
  }
});

demoTest('signing in moves nothing below the form', {}, async (t) => {
  const app = await t.launch();
  await app.shows('status', 'signedOut');
  const top = () =>
    app.browser.execute(
      () => document.querySelector('[data-testid="memory-token"]').getBoundingClientRect().top,
    );
  const before = await top();
  await app.login();
  await app.shows('me-name', /\w/);
  await app.shows('persisted', 'yes');
  t.leaks.remember();
  assert.equal(await top(), before);
});
