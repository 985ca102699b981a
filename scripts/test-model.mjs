// The long runs of the random orders, of the outages, of the processes and of the scopes; `npm run test:model`. `npm test` has
// the short ones.
import { run } from './lib/run.mjs';

process.env.VAULT_ORDERS ??= '100000';
process.env.SESSION_ORDERS ??= '100000';
process.env.MODEL_RUNS ??= '100000';
process.env.OUTAGE_SESSIONS ??= '100000';
process.env.PROCESS_GENERATIONS ??= '1000';
process.env.PROCESS_KILLS ??= '1000';
process.env.SCOPE_URLS ??= '1000000';
const cargo = ['cargo', 'test', '--locked', '-p', 'tauri-plugin-secure-token'];
const vault = await run([...cargo, '--test', 'orders', '--test', 'processes']);
const session = await run([...cargo, '--lib', 'session::tests::model']);
// One after the other: each uses all processors.
const outage = await run([...cargo, '--lib', 'session::tests::outage', '--', '--test-threads', '1']);
const scope = await run([...cargo, '--features', 'native', '--lib', '--', '--ignored', 'second_parser']);
const page = await run(['vitest', 'run', '--project', 'tauri', 'guest-js/tests/session/model']);
process.exitCode = vault.code || session.code || outage.code || scope.code || page.code;
