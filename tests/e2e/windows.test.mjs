// Several windows of one app: in step where they may touch the token, refused where they may not.
import assert from 'node:assert/strict';
import { until } from '../../scripts/lib/until.mjs';
import { demoTest } from './demo-test.mjs';

demoTest(
  'P3 windows are in step: login in one shows in the other, logout in the other signs out both',
  {},
  async (t) => {
    const app = await t.launch();
    await app.shows('status', 'signedOut');
    await app.click('open-window');
    await app.goTo('second');
    await t.leaks.listenToConsole(app);
    await app.shows('status', 'signedOut');

    await app.goTo('main');
    await app.login();
    await app.shows('persisted', 'yes');
    t.leaks.remember();
    await app.goTo('second');
    await app.shows('status', 'signedIn');
    await app.shows('me-name', /\w/);

    await app.click('logout');
    await app.shows('status', 'signedOut');
    await app.goTo('main');
    await app.shows('status', 'signedOut');
    await app.shows('memory-token', 'empty');
    await until('the keyring is empty', () => t.demo.stored() === undefined);
    assert.equal(t.demo.calls('/login').length, 1);
  },
);

demoTest('P5 a window without the permission is refused', {}, async (t) => {
  const app = await t.launch();
  await app.login();
  await app.shows('persisted', 'yes');
  t.leaks.remember();

  await app.click('open-guest');
  await app.goTo('guest');
  await app.shows('guest-result', 'forbidden');
});
