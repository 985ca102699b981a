// A desktop without any key store, and the one that is started later.
import assert from 'node:assert/strict';
import { demoTest } from './demo-test.mjs';

demoTest(
  'P1 P4 no key store: the session works from memory, outlives a reload, and nothing is written in plain text',
  {},
  async (t) => {
    await t.demo.keyring.stop();
    const app = await t.launch();
    await app.shows('status', 'unavailable');
    await app.shows('error', 'unavailable');
    await app.shows('store-state', 'unavailable');

    await noteTokens(app);
    await app.click('login-anyway');
    await app.login();
    await app.shows('persisted', 'no');
    await app.shows('error', 'unavailable');
    await app.shows('memory-token', /in memory/);
    await app.shows('me-name', /\w/);
    for (const token of await notedTokens(app)) t.leaks.lookFor(token);
    await t.leaks.check();

    await app.browser.refresh();
    await app.shows('status', 'signedIn');
    await app.shows('me-name', /\w/);
    assert.equal(t.demo.calls('/login').length, 1);

    await t.demo.keyring.start();
    await app.shows('persisted', 'yes');
    assert.ok(t.demo.stored().startsWith('secure-token.v1.'));
  },
);

/** No key store can be asked for the tokens, so the page takes note of what the API hands out. */
const noteTokens = (app) =>
  app.browser.execute(() => {
    const original = window.fetch;
    window.handedOut = [];
    window.fetch = async (...args) => {
      const response = await original(...args);
      if (String(args[0]).endsWith('/login')) window.handedOut.push(await response.clone().json());
      return response;
    };
  });

async function notedTokens(app) {
  const answers = await app.browser.execute(() => window.handedOut);
  return answers.flatMap((answer) => [answer.access_token, answer.refresh_token]);
}
