// The long runs of the random orders, of the simulation and of the processes; `npm run test:model`. `npm test` has the short ones.
import { run } from './lib/run.mjs';

process.env.VAULT_ORDERS ??= '100000';
process.env.MODEL_RUNS ??= '100000';
process.env.SIMULATION_SESSIONS ??= '100000';
process.env.PROCESS_GENERATIONS ??= '1000';
process.env.PROCESS_KILLS ??= '1000';
const vault = await run([
  'cargo',
  'test',
  '--locked',
  '-p',
  'tauri-plugin-secure-token',
  '--test',
  'orders',
  '--test',
  'processes',
]);
const page = await run([
  'vitest',
  'run',
  '--project',
  'tauri',
  'guest-js/tests/session/model',
  'guest-js/tests/session/simulation',
]);
process.exitCode = vault.code || page.code;
