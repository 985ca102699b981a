// Simulates an outage of the auth server with 100,000 sessions and writes the figures of docs/scale.md; `npm run simulate`.
import { run } from './lib/run.mjs';

process.env.SIMULATION_SESSIONS ??= '100000';
process.env.SIMULATION_FIGURES = '1';
const { code } = await run(['vitest', 'run', '--project', 'tauri', 'guest-js/tests/session/simulation']);
process.exitCode = code;
