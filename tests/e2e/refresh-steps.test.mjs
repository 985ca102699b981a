// A page, a window or the app that ends amid a refresh, at each of its steps.
import assert from 'node:assert/strict';
import { until } from '../../scripts/lib/until.mjs';
import { pageEnds, steps } from './cut-off.mjs';
import { demoTest } from './demo-test.mjs';
import { logIn, signedIn } from './steps.mjs';

const refused = /The API has ended the sign-in/;
const interrupted = /The app was closed during a refresh, and the API has ended the sign-in/;

// What the API sent to the refreshes that a step took. 499 is nginx's status for a client that has left before the API acted.
const once = [200];
const onceMore = [200, 499];
const usedTwiceInGrace = [200, 200];
const usedTwice = [200, 400];

for (const { who, refreshInRust, graceSeconds, sent, ends = pageEnds } of [
  {
    who: 'Rust',
    refreshInRust: true,
    sent: { turn: once, request: once, response: once, store: once },
  },
  {
    who: 'a page',
    sent: { turn: once, request: onceMore, response: usedTwice, store: once },
  },
  {
    who: 'a page, with an API that takes a used token once more',
    graceSeconds: 60,
    sent: { response: usedTwiceInGrace },
    // A closed window leaves it to the other window, whose page the cases above have.
    ends: pageEnds.filter(({ begin }) => !begin),
  },
]) {
  demoTest(
    `P8 a page ends at each step of a refresh by ${who}`,
    { refreshInRust, graceSeconds },
    async (t) => {
      const app = await signedIn(t);
      for (const pageEnd of ends) {
        for (const step of steps.filter(({ at }) => sent[at])) {
          await named(`${pageEnd.does} while the refresh ${step.does}`, async () => {
            await pageEnd.begin?.(t, app);
            const before = now(t);
            const goOn = await step.stop(t, app);
            await pageEnd.end(app);
            await goOn({ isLeft: !refreshInRust });
            await pageEnd.comeBack(app, { goesOn: sent[step.at] !== usedTwice });
            await assertOutcome(t, app, { before, sent: sent[step.at], reason: refused });
          });
        }
      }
    },
  );
}

for (const refreshInRust of [false, true]) {
  for (const { graceSeconds, sent } of [
    { graceSeconds: 0, sent: { turn: once, request: onceMore, response: usedTwice, store: usedTwice } },
    { graceSeconds: 60, sent: { response: usedTwiceInGrace, store: usedTwiceInGrace } },
  ]) {
    const who = refreshInRust ? 'Rust' : 'a page';
    const api = graceSeconds ? 'takes a used token once more' : 'takes each token once';
    demoTest(
      `P8 the app is killed at each step of a refresh by ${who}, with an API that ${api}`,
      { refreshInRust, graceSeconds },
      async (t) => {
        let app = await signedIn(t);
        for (const step of steps.filter(({ at }) => sent[at])) {
          await named(`killed while the refresh ${step.does}`, async () => {
            const before = now(t);
            const goOn = await step.stop(t, app);
            await app.stop();
            await goOn({ isLeft: true });
            // Until the page is there to see how it ends.
            const refresh = t.demo.api.hold('/token');
            app = await t.launch();
            await app.shows('status', 'signedIn');
            await until('the next refresh is under way', () => refresh.count === 1);
            refresh.release();
            await assertOutcome(t, app, { before, sent: sent[step.at], reason: interrupted });
          });
        }
      },
    );
  }
}

/** Says which of the many it was that failed. */
async function named(name, work) {
  await work().catch((error) => {
    throw new Error(`${name}: ${error.message}`, { cause: error });
  });
}

/** How many requests the API has answered, and how many sign-ins it has ended. */
const now = (t) => ({
  refreshes: t.demo.calls('/token').length,
  served: t.demo.calls('/me', 200).length,
  ended: endedByApi(t),
});

const endedByApi = (t) => t.demo.api.sessions().filter(({ revoked }) => revoked).length;

/** The session goes on, or has ended for `reason` since a used token came twice. */
async function assertOutcome(t, app, { before, sent, reason }) {
  const goesOn = sent !== usedTwice;
  if (goesOn) {
    await until('the page is served', () => t.demo.calls('/me', 200).length > before.served);
    await app.shows('status', 'signedIn');
    await app.shows('me-name', /\w/);
    await app.shows('persisted', 'yes');
    t.leaks.remember();
  } else {
    await app.shows('status', 'signedOut');
    await app.shows('log', reason);
    await until('the keyring is empty', () => t.demo.stored() === undefined);
  }
  const refreshes = t.demo.calls('/token').slice(before.refreshes);
  assert.deepEqual(refreshes.map(({ status }) => status).sort(), sent);
  assert.equal(endedByApi(t) - before.ended, goesOn ? 0 : 1);
  if (!goesOn) await logIn(t, app);
}
