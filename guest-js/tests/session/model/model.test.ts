// P3, P4, P6, P8 and P9 in any order: random scenarios of two windows over a slow and failing bridge, store and server.
//
// Every message of the bridge, store call, response of the server and timer waits until the scenario picks it, so a scenario
// is all there is to a run, and shrinking one shrinks its order too. The pages are real, each in a realm of its own; the
// owner is the one in JavaScript. That in Rust has a model of its own.
//
//   MODEL_RUNS=100000 npx vitest run guest-js/tests/session/model      more runs (`npm run test:model`)
//   MODEL_SEED=… MODEL_PATH=… npx vitest run guest-js/tests/session/model      one that failed: the report names both

import fc from 'fast-check';
import { beforeAll, expect, it, vi } from 'vitest';
import { buildRealm } from '../../support/realm.js';
import type { Load } from './app.js';
import { Run } from './run.js';
import { scenario } from './steps.js';

const { MODEL_RUNS = '2000', MODEL_SEED, MODEL_PATH } = process.env;

let load: Load;

beforeAll(async () => {
  load = await buildRealm();
});

it(`P3 P4 P6 P8 P9 hold in ${MODEL_RUNS} random orders`, async () => {
  // A record that cannot be read before it is replaced is told of.
  vi.spyOn(console, 'warn').mockImplementation(() => {});
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
