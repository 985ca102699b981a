// Where the bearer goes: to the API on the list, and to no other origin.
import assert from 'node:assert/strict';
import { demoTest } from './demo-test.mjs';

demoTest('P4 an origin that is not on the list never receives the token', {}, async (t) => {
  const app = await t.launch();
  await app.login();
  await app.shows('me-name', /\w/);
  await app.shows('persisted', 'yes');
  t.leaks.remember();
  assert.ok(t.demo.calls('/me', 200).every((call) => call.hasAuthorization));

  await app.click('call-other');
  await app.shows('other-result', /\w/);
  assert.ok(t.demo.other.log.length > 0);
  assert.ok(t.demo.other.log.every((call) => !call.hasAuthorization));
});
