// Builds the demo app and shows it; `npm run demo`. Without a desktop it plays the flow and leaves screenshots.
import { hasDesktop } from './lib/has-desktop.mjs';
import { ensurePrerequisites, MissingPrerequisite } from './lib/prerequisites.mjs';
import { buildAll } from './lib/runner.mjs';
import { buildPackages, keyringPackages, windowPackages } from './lib/system-packages.mjs';
import { demoBuild } from './stages.mjs';

const desktop = hasDesktop();
const packages = desktop ? buildPackages : [...buildPackages, ...keyringPackages, ...windowPackages];
try {
  await ensurePrerequisites({ npm: true, rust: {}, packages });
  await buildAll(demoBuild);
  // Loaded late: they need the npm packages that were installed just now.
  const { show } = await (desktop ? import('./lib/demo-for-a-person.mjs') : import('./lib/demo-tour.mjs'));
  await show();
} catch (error) {
  if (!(error instanceof MissingPrerequisite)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
