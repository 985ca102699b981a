// The long runs of the random orders, of the simulation, of the processes and of the scopes; `npm run test:model`. `npm test` has the short ones.
import { run } from './lib/run.mjs';

process.env.VAULT_ORDERS ??= '100000';
process.env.SESSION_ORDERS ??= '100000';
process.env.MODEL_RUNS ??= '100000';
process.env.SIMULATION_SESSIONS ??= '100000';
process.env.PROCESS_GENERATIONS ??= '1000';
process.env.PROCESS_KILLS ??= '1000';
process.env.SCOPE_URLS ??= '1000000';
const cargo = ['cargo', 'test', '--locked', '-p', 'tauri-plugin-secure-token'];
const vault = await run([...cargo, '--test', 'orders', '--test', 'processes']);
const session = await run([...cargo, '--lib', 'session::tests::model']);
const scope = await run([...cargo, '--features', 'native', '--lib', '--', '--ignored', 'second_parser']);
const page = await run([
  'vitest',
  'run',
  '--project',
  'tauri',
  'guest-js/tests/session/model',
  'guest-js/tests/session/simulation',
]);
process.exitCode = vault.code || session.code || scope.code || page.code;
