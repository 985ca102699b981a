// One session for all windows, pages and processes of the app.
import assert from 'node:assert/strict';
import { until } from '../../scripts/lib/until.mjs';
import { demoTest } from './demo-test.mjs';
import { assertNoReuse, openSecond, refreshes, signedIn } from './steps.mjs';

demoTest('P8 two windows with a refused token cost one refresh, and both go on', {}, async (t) => {
  const app = await signedIn(t);
  await openSecond(t, app);
  await t.demo.expireTokens();
  const refresh = t.demo.api.hold('/token');
  const served = t.demo.calls('/me', 200).length;

  await app.click('me-load');
  await app.goTo('main');
  await app.click('me-load');
  await until('both were refused', () => t.demo.calls('/me', 401).length === 2);
  await until('the refresh is under way', () => refresh.count === 1);
  refresh.release();

  await until('both are served', () => t.demo.calls('/me', 200).length === served + 2);
  t.leaks.remember();
  assert.equal(t.demo.calls('/token').length, 1);
  assertNoReuse(t);
  await app.shows('status', 'signedIn');
  await app.goTo('second');
  await app.shows('status', 'signedIn');
});

demoTest('P8 a page that navigates away amid its refresh leaves it to the other window', {}, async (t) => {
  const app = await signedIn(t);
  await openSecond(t, app);
  await t.demo.expireTokens();
  // Its refresh never reaches the server.
  await app.browser.execute(() => {
    const original = window.fetch;
    window.fetch = (input, init) =>
      String(input?.url ?? input).endsWith('/token') ? new Promise(() => {}) : original(input, init);
  });
  await app.click('me-load');
  await until('it was refused', () => t.demo.calls('/me', 401).length === 1);
  await app.browser.execute(() => {
    location.href = 'guest.html';
  });
  await app.goTo('guest');

  await app.goTo('main');
  await app.click('me-load');
  await until('the other is served', () => refreshes(t) === 1);
  await app.shows('status', 'signedIn');
  t.leaks.remember();
  assertNoReuse(t);
});

demoTest('P3 a page from the back-forward cache is signed out after a logout', {}, async (t) => {
  const app = await signedIn(t);
  await app.browser.execute(() => {
    location.href = 'index.html?window=second';
  });
  await app.goTo('second');
  await app.shows('status', 'signedIn');
  await app.click('logout');
  await app.shows('status', 'signedOut');
  await app.browser.execute(() => history.back());
  await app.goTo('main');
  await app.shows('status', 'signedOut');
  await app.shows('memory-token', 'empty');

  // In step again: it hears of the next login.
  await app.click('open-window');
  await app.goTo('second');
  await app.login();
  t.leaks.remember();
  await app.goTo('main');
  await app.shows('status', 'signedIn');
});

demoTest('P9 a late 401 of one login is not repeated under the next', {}, async (t) => {
  const app = await signedIn(t);
  await openSecond(t, app);
  await app.goTo('main');
  await t.demo.expireTokens();
  const request = t.demo.api.hold('/me');
  await app.click('me-load');
  await until('the request is held', () => request.count === 1);
  await app.goTo('second');
  await app.click('logout');
  await app.shows('status', 'signedOut');
  await app.login();
  t.leaks.remember();
  await until('the new login asks too', () => request.count >= 2);
  request.release();

  await until('the first request is refused', () => t.demo.calls('/me', 401).length === 1);
  await app.shows('me-name', /\w/);
  await app.goTo('main');
  await app.shows('me-name', /\w/);
  assert.equal(t.demo.calls('/token').length, 0);
  assert.equal(t.demo.calls('/me', 401).length, 1);
});

demoTest('P3 P8 two processes of the app take turns and see each other’s changes', {}, async (t) => {
  const one = await signedIn(t);
  const other = await t.launch();
  await other.shows('status', 'signedIn');
  await other.shows('me-name', /\w/);
  await t.demo.expireTokens();

  await one.click('me-load');
  await until('one has refreshed', () => refreshes(t) === 1);
  await one.shows('me-name', /\w/);
  t.leaks.remember();
  const served = t.demo.calls('/me', 200).length;
  await other.click('me-load');
  await until('the other goes on with the new token', () => t.demo.calls('/me', 200).length > served);
  assert.equal(t.demo.calls('/token').length, 1);
  assertNoReuse(t);

  await one.click('logout');
  await one.shows('status', 'signedOut');
  await other.click('me-load');
  await other.shows('status', 'signedOut');
});
