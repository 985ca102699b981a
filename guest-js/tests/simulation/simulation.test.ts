// An auth server that comes back after ten minutes is not run over, and nobody is signed out meanwhile.
//
//   SIMULATION_SESSIONS=100000 npx vitest run guest-js/tests/simulation      as many as docs/scale.md shows

import { beforeAll, describe, expect, it } from 'vitest';
import { buildRealm } from '../realm.js';
import { OUTAGES, simulate } from './simulate.js';

const SESSIONS = Number(process.env.SIMULATION_SESSIONS ?? 5000);

let load: Awaited<ReturnType<typeof buildRealm>>;

beforeAll(async () => {
  load = await buildRealm();
});

describe(`${SESSIONS} sessions and an auth server that is away for ten minutes`, () => {
  it.each(OUTAGES)(
    '$title: the peak of refreshes a second stays under 5 % of the sessions',
    async ({ outage }) => {
      const { signedOut, refreshed, peak } = await simulate(load, SESSIONS, outage);
      expect(signedOut).toBe(0);
      expect(refreshed).toBe(SESSIONS);
      expect(peak / SESSIONS).toBeLessThan(0.05);
    },
    600_000,
  );
});
