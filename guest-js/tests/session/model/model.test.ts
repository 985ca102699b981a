// P1 and P3 in any order: random scenarios of two windows over a slow and failing store and server.
//
// Every message of the bridge, store call, notice, answer of the server and timer waits until the scenario picks it, so a
// scenario is all there is to a run, and shrinking one shrinks its order too.
//
//   MODEL_RUNS=100000 npx vitest run guest-js/tests/session/model      more runs (`npm run test:model`)
//   MODEL_SEED=… MODEL_PATH=… npx vitest run guest-js/tests/session/model      one that failed: the report names both

import fc from 'fast-check';
import { beforeAll, expect, it } from 'vitest';
import { buildRealm } from '../../support/realm.js';
import type { Load } from './page.js';
import { Run } from './run.js';
import { scenario } from './steps.js';

const { MODEL_RUNS = '2000', MODEL_SEED, MODEL_PATH } = process.env;

let load: Load;

beforeAll(async () => {
  load = await buildRealm();
});

it(`P1 P3 hold in ${MODEL_RUNS} random orders`, async () => {
  let runs = 0;
  const property = fc.asyncProperty(scenario, async (drawn) => {
    runs++;
    await new Run(load).play(drawn);
  });
  await fc.assert(property, {
    numRuns: Number(MODEL_RUNS),
    ...(MODEL_SEED && { seed: Number(MODEL_SEED) }),
    ...(MODEL_PATH && { path: MODEL_PATH }),
  });
  expect(runs).toBeGreaterThanOrEqual(MODEL_PATH ? 1 : Number(MODEL_RUNS));
}, 3_600_000);
