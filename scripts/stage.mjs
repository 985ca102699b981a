// Runs the named stages; `npm run lint`, `npm run test:e2e` and so on.
import { runStages } from './lib/runner.mjs';
import { stages } from './stages.mjs';

const names = process.argv.slice(2);
const unknown = names.filter((name) => !stages.some((stage) => stage.name === name));
if (names.length === 0 || unknown.length > 0) {
  if (unknown.length > 0) console.error(`No such stage: ${unknown.join(', ')}`);
  console.error(`Usage: node scripts/stage.mjs ${stages.map((stage) => `[${stage.name}]`).join(' ')}`);
  process.exit(2);
}
await runStages(stages.filter((stage) => names.includes(stage.name)));
