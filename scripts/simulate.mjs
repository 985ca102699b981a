// Simulates outages of the auth server with 100,000 sessions and writes the figures of docs/scale.md; `npm run simulate`.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeFigures } from './lib/outage-figures.mjs';
import { run } from './lib/run.mjs';

const folder = mkdtempSync(join(tmpdir(), 'outage-'));
process.env.OUTAGE_SESSIONS ??= '100000';
process.env.OUTAGE_FIGURES = folder;
const cargo = ['cargo', 'test', '--locked', '-p', 'tauri-plugin-secure-token', '--lib'];
// One after the other: each uses all processors.
const { code } = await run([...cargo, 'session::tests::outage', '--', '--test-threads', '1']);
if (code === 0) writeFigures(folder);
rmSync(folder, { recursive: true });
process.exitCode = code;
