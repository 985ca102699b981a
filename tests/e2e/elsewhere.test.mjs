// A refresh that is under way, or was refused, while other windows and processes of the app do something else.
import assert from 'node:assert/strict';
import { until } from '../../scripts/lib/until.mjs';
import { demoTest } from './demo-test.mjs';
import { assertNoReuse, beginRefresh, logIn, refreshes, signedIn } from './steps.mjs';

const labels = ['main', 'second', 'third', 'fourth'];

async function assertSignedOut(t, app) {
  await app.shows('status', 'signedOut');
  await app.shows('memory-token', 'empty');
  await until('the keyring is empty', () => t.demo.stored() === undefined);
}

demoTest('P3 a sign-in that the API has ended for one process has ended for the other', {}, async (t) => {
  const one = await signedIn(t);
  const other = await t.launch();
  await other.shows('me-name', /\w/);
  const { refreshToken } = t.demo.storedRecord();
  await fetch(`${t.demo.api.url}/revoke`, {
    method: 'POST',
    body: new URLSearchParams({ token: refreshToken }),
  });

  await one.click('me-load');
  await assertSignedOut(t, one);
  await one.shows('log', /The API has ended the sign-in/);
  await other.click('me-load');
  await assertSignedOut(t, other);
  assert.deepEqual(
    t.demo.calls('/token').map(({ status }) => status),
    [400],
  );
});

demoTest('P3 P9 a login in one process while the other waits for the API', {}, async (t) => {
  const one = await signedIn(t);
  const other = await t.launch();
  await other.shows('me-name', /\w/);
  await t.demo.expireTokens();
  const request = t.demo.api.hold('/me');
  await other.click('me-load');
  await until('the request is held', () => request.count === 1);
  await one.click('logout');
  await one.shows('status', 'signedOut');
  await one.login('ada', 'lovelace');
  await until('the new login asks too', () => request.count === 2);
  t.leaks.remember();
  request.release();

  // The 401 of the first user is not repeated as the second, who then asks herself.
  await until('the old request is refused', () => t.demo.calls('/me', 401).length === 1);
  await one.shows('me-name', 'Ada Lovelace');
  await other.click('me-load');
  await other.shows('me-name', 'Ada Lovelace');
  assert.equal(t.demo.calls('/me', 401).length, 1);
  assert.equal(t.demo.calls('/token').length, 0);
});

demoTest(
  'P9 four windows: a login over the login of another window, with a request held open',
  {},
  async (t) => {
    const app = await t.launch({ windows: 4 });
    const slow = t.demo.api.hold('/login');
    await app.fill('login-user', 'ada');
    await app.fill('login-password', 'lovelace');
    await app.click('login-submit');
    await until('the first login is held', () => slow.count === 1);
    // Takes the place of the other, so that the next login passes.
    t.demo.api.hold('/login').release();
    await app.goTo('second');
    await logIn(t, app);
    await t.demo.expireTokens();
    const request = t.demo.api.hold('/me');
    await app.click('me-load');
    await until('the request is held', () => request.count === 1);
    slow.release();
    const ended = () => t.demo.api.sessions().filter(({ revoked }) => revoked);
    await until('the login before is revoked', () => ended().length === 1);
    request.release();

    await until('its request is refused', () => t.demo.calls('/me', 401).length === 1);
    for (const label of labels) {
      await app.goTo(label);
      await app.click('me-load');
      await app.shows('me-name', 'Ada Lovelace');
    }
    t.leaks.remember();
    assert.deepEqual(
      ended().map(({ user }) => user),
      ['demo'],
    );
    assert.equal(t.demo.calls('/token').length, 0);
    assert.equal(t.demo.calls('/me', 401).length, 1);
  },
);

demoTest('P3 P9 four windows: a logout and a login amid a refresh, and a logout', {}, async (t) => {
  const app = await t.launch({ windows: 4 });
  await logIn(t, app);
  for (const label of labels) {
    await app.goTo(label);
    await app.shows('me-name', 'Demo User');
  }
  const refresh = await beginRefresh(t, app, 'response');
  await app.goTo('second');
  await app.click('logout');
  await app.shows('status', 'signedOut');
  await app.login('ada', 'lovelace');
  await app.shows('persisted', 'yes');
  t.leaks.remember();
  refresh.release();

  for (const label of labels) {
    await app.goTo(label);
    await app.shows('me-name', 'Ada Lovelace');
  }
  const ofAda = () => t.demo.api.sessions().filter(({ user }) => user === 'ada');
  await until('the first sign-in is revoked', () => t.demo.api.sessions()[0].revoked);
  assert.deepEqual(
    ofAda().map(({ revoked }) => revoked),
    [false],
  );
  assert.equal(t.demo.calls('/token').length, 1);

  await app.click('logout');
  for (const label of labels) {
    await app.goTo(label);
    await assertSignedOut(t, app);
  }
  await until('the second is revoked', () => ofAda().every(({ revoked }) => revoked));
});

for (const refreshInRust of [false, true]) {
  const who = refreshInRust ? 'Rust' : 'a page';
  demoTest(
    `P1 P8 no key store, and a reload amid a refresh by ${who}: signed in`,
    { refreshInRust },
    async (t) => {
      await t.demo.keyring.stop();
      const app = await t.launch();
      await app.click('login-anyway');
      await app.login();
      await app.shows('me-name', /\w/);
      const refresh = await beginRefresh(t, app, 'request');
      await app.browser.refresh();
      await app.shows('status', 'signedIn');
      if (!refreshInRust) await until('the page has left its request', () => refresh.abandoned === 1);
      refresh.release();

      await app.shows('me-name', /\w/);
      await app.shows('persisted', 'no');
      assert.equal(refreshes(t), 1);
      assertNoReuse(t);
      await t.demo.keyring.start();
      await app.shows('persisted', 'yes');
      t.leaks.remember();
    },
  );
}
