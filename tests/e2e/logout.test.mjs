// Logout, with the API up and down.
import assert from 'node:assert/strict';
import { until } from '../../scripts/lib/until.mjs';
import { demoTest } from './demo-test.mjs';

async function signedInApp(t) {
  const app = await t.launch();
  await app.login();
  await app.shows('persisted', 'yes');
  t.leaks.remember();
  return app;
}

async function assertSignedOut(t, app) {
  await app.shows('status', 'signedOut');
  await app.shows('memory-token', 'empty');
  await until('the keyring is empty', () => t.demo.stored() === undefined);
}

demoTest(
  'P3 logout empties memory and keyring, revokes at the API, and a launch finds nothing',
  {},
  async (t) => {
    const first = await signedInApp(t);
    await first.click('logout');
    await assertSignedOut(t, first);
    await until('the API has revoked', () => t.demo.api.sessions().every((session) => session.revoked));
    assert.equal(t.demo.api.sessions().length, 1);
    await first.stop();

    await assertSignedOut(t, await t.launch());
  },
);

demoTest('P3 logout with the API down signs out here, and a launch stays signed out', {}, async (t) => {
  const first = await signedInApp(t);
  await t.demo.stopApi();
  await first.click('logout');
  await assertSignedOut(t, first);
  await first.stop();

  await assertSignedOut(t, await t.launch());
});
