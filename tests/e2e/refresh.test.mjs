// Rotation: after a 401, and by hand.
import assert from 'node:assert/strict';
import { until } from '../../scripts/lib/until.mjs';
import { demoTest } from './demo-test.mjs';

demoTest('401: parallel calls cost exactly one refresh, and each is retried', {}, async (t) => {
  const parallel = 5;
  const app = await t.launch();
  await app.login();
  await app.shows('me-name', /\w/);
  await app.shows('persisted', 'yes');
  t.leaks.remember();
  const before = t.demo.storedRecord();
  await t.demo.expireTokens();
  const callsBefore = t.demo.calls('/me', 200).length;

  // In one task of the page: the button is disabled while a call runs, but only from the next task on.
  await app.browser.execute((times) => {
    const button = document.querySelector('[data-testid="me-load"]');
    setTimeout(() => {
      for (let count = 0; count < times; count += 1) button.click();
    });
  }, parallel);

  await until('each call is answered', () => t.demo.calls('/me', 200).length === callsBefore + parallel);
  await until('the new token is stored', () => t.demo.storedRecord().token !== before.token);
  t.leaks.remember();
  assert.equal(t.demo.calls('/me', 401).length, parallel, 'the calls were on their way together');
  assert.equal(t.demo.calls('/token').length, 1);
  await app.shows('status', 'signedIn');
});

demoTest(
  'rotate now: the next launch uses the new token, and the old one is in nobody’s hands',
  {},
  async (t) => {
    const first = await t.launch();
    await first.login();
    await first.shows('persisted', 'yes');
    t.leaks.remember();
    const before = t.demo.storedRecord();

    await first.click('rotate');
    await until('the new token is stored', () => t.demo.storedRecord().token !== before.token);
    t.leaks.remember();
    assert.notEqual(t.demo.storedRecord().refreshToken, before.refreshToken);
    await first.stop();

    const second = await t.launch();
    await second.shows('me-name', /\w/);
    assert.equal(t.demo.calls('/token').length, 1);
    assert.equal(t.demo.calls('/me', 401).length, 0);
  },
);
