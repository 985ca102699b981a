// Runs every stage; `npm test`. Needs nothing but Node at its start: each stage installs what it needs.
import { runStages } from './lib/runner.mjs';
import { stages } from './stages.mjs';

await runStages(stages);
