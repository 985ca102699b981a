// The long runs of the random orders and of the simulation; `npm run test:model`. `npm run test:js` has the short ones.
import { run } from './lib/run.mjs';

process.env.MODEL_RUNS ??= '100000';
process.env.SIMULATION_SESSIONS ??= '100000';
const { code } = await run([
  'vitest',
  'run',
  '--project',
  'tauri',
  'guest-js/tests/model',
  'guest-js/tests/simulation',
]);
process.exitCode = code;
