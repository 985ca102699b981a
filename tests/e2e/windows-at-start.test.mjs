// An app that opens several windows at its start, with a token that no longer works.
import assert from 'node:assert/strict';
import { until } from '../../scripts/lib/until.mjs';
import { demoTest } from './demo-test.mjs';
import { assertNoReuse, refreshes, signedIn } from './steps.mjs';

const labels = ['main', 'second', 'third', 'fourth'];

for (const refreshInRust of [false, true]) {
  for (const windows of [2, 4]) {
    const who = refreshInRust ? 'by Rust' : 'by a page';
    demoTest(
      `P8 ${windows} windows at start with an expired token: one refresh ${who}, and all are signed in`,
      { refreshInRust },
      async (t) => {
        await (await signedIn(t)).stop();
        await t.demo.expireTokens();
        const refresh = t.demo.api.hold('/token');
        const served = t.demo.calls('/me', 200).length;

        const app = await t.launch({ windows });
        await until('every window was refused', () => t.demo.calls('/me', 401).length === windows);
        await until('the refresh is under way', () => refresh.count === 1);
        refresh.release();

        await until('every window is served', () => t.demo.calls('/me', 200).length === served + windows);
        t.leaks.remember();
        for (const label of labels.slice(0, windows)) {
          await app.goTo(label);
          await app.shows('status', 'signedIn');
          await app.shows('me-name', /\w/);
        }
        assert.equal(t.demo.calls('/token').length, 1);
        assert.equal(refreshes(t), 1);
        assertNoReuse(t);
      },
    );
  }
}

demoTest(
  'P8 four windows at start with a token that has expired by the clock: one refresh, and no request is refused',
  // Long enough for no refresh before the app is stopped.
  { accessTokenSeconds: 8 },
  async (t) => {
    await (await signedIn(t)).stop();
    const { expiresAt } = t.demo.storedRecord();
    t.demo.api.setLifetime(3600);
    await until('the token has expired', () => Date.now() > expiresAt);
    const [refused, served] = [t.demo.calls('/me', 401).length, t.demo.calls('/me', 200).length];
    const refresh = t.demo.api.hold('/token');

    const app = await t.launch({ windows: 4 });
    for (const label of labels) {
      await app.goTo(label);
      await app.shows('status', 'signedIn');
    }
    await until('the refresh is under way', () => refresh.count === 1);
    refresh.release();

    await until('every window is served', () => t.demo.calls('/me', 200).length === served + 4);
    t.leaks.remember();
    assert.equal(t.demo.calls('/token').length, 1);
    assert.equal(t.demo.calls('/me', 401).length, refused);
    assertNoReuse(t);
  },
);
