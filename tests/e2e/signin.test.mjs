// Login, and what a fresh launch finds.
import assert from 'node:assert/strict';
import { demoTest } from './demo-test.mjs';

demoTest('login: the token is in memory and in the keyring, and the API knows the user', {}, async (t) => {
  const app = await t.launch();
  await app.shows('status', 'signedOut');
  await app.shows('memory-token', 'empty');
  assert.equal(t.demo.stored(), undefined);

  await app.login();
  await app.shows('persisted', 'yes');
  t.leaks.remember();

  assert.ok(t.demo.stored().startsWith('secure-token.v1.'));
  const { token } = t.demo.storedRecord();
  await app.shows('memory-token', `in memory, ${token.length} bytes`);
  await app.shows('me-name', /\w/);
  assert.equal(t.demo.calls('/me', 200).length, 1);
});

demoTest(
  'P2 a killed app keeps what was acknowledged: the next launch is signed in without the form',
  {},
  async (t) => {
    const first = await t.launch();
    await first.login();
    await first.shows('persisted', 'yes');
    t.leaks.remember();
    const before = t.demo.stored();
    await first.stop();

    const second = await t.launch();
    await second.shows('status', 'signedIn');
    assert.equal(await second.element('login-form').isExisting(), false);
    await second.shows('me-name', /\w/);
    assert.equal(t.demo.calls('/login').length, 1);
    assert.equal(t.demo.calls('/token').length, 0);
    assert.equal(t.demo.stored(), before);
  },
);
