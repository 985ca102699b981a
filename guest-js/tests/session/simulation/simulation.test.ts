// An auth server that comes back after ten minutes is not run over, and nobody is signed out meanwhile.
//
//   SIMULATION_SESSIONS=100000 npx vitest run guest-js/tests/session/simulation      more sessions (`npm run test:model`)
//   SIMULATION_FIGURES=1 …      also writes the figures into docs/scale.md (`npm run simulate`)

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildRealm } from '../../support/realm.js';
import { writeFigures } from './figures.js';
import { OUTAGES, type Result, simulate } from './simulate.js';

const { SIMULATION_SESSIONS = '2000', SIMULATION_FIGURES } = process.env;
const SESSIONS = Number(SIMULATION_SESSIONS);
const results: (Result & { title: string })[] = [];

let load: Awaited<ReturnType<typeof buildRealm>>;

beforeAll(async () => {
  load = await buildRealm();
});

afterAll(() => {
  if (SIMULATION_FIGURES) writeFigures(results);
});

describe(`${SESSIONS} sessions and an auth server that is away for ten minutes`, () => {
  it.each(OUTAGES)(
    '$title: the peak of refreshes a second stays under 5 % of the sessions',
    async ({ outage, title }) => {
      const result = await simulate(load, SESSIONS, outage);
      results.push({ ...result, title });
      const { signedOut, refreshed, peak } = result;
      expect(signedOut).toBe(0);
      expect(refreshed).toBe(SESSIONS);
      expect(peak / SESSIONS).toBeLessThan(0.05);
    },
    600_000,
  );
});
