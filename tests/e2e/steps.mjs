// What several tests do first, and what they look at in the end.
import assert from 'node:assert/strict';
import { until } from '../../scripts/lib/until.mjs';

/** An app in which somebody has signed in, with the token in the keyring. */
export async function signedIn(t) {
  const app = await t.launch();
  await logIn(t, app);
  return app;
}

export async function logIn(t, app) {
  await app.login();
  await app.shows('me-name', /\w/);
  await app.shows('persisted', 'yes');
  t.leaks.remember();
}

/** Opens the second window, which is signed in by itself. */
export async function openSecond(t, app) {
  await app.click('open-window');
  await app.goTo('second');
  await t.leaks.listenToConsole(app);
  await app.shows('status', 'signedIn');
  await app.shows('me-name', /\w/);
}

/** Makes the API refuse the access token, and the window that is shown notice. Returns what holds the refresh. */
export async function beginRefresh(t, app, step) {
  await t.demo.expireTokens();
  const refresh = t.demo.api.hold('/token', step);
  await app.click('me-load');
  await until('the refresh has reached the API', () => refresh.count === 1);
  return refresh;
}

/** Every refresh token came once, and the sign-in goes on. */
export function assertNoReuse(t) {
  assert.deepEqual(
    t.demo.api.sessions().map(({ revoked }) => revoked),
    [false],
    'the API has seen no token twice',
  );
}

/** How many refreshes the API has carried out. */
export const refreshes = (t) => t.demo.calls('/token', 200).length;
