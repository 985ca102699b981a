// Writes the reference of the npm package to target/api-docs; `npm run docs`. With --check it only fails on what is
// undocumented or links nowhere.

import { Application } from 'typedoc';
import { entries } from './bundle.mjs';

const app = await Application.bootstrap({
  name: 'tauri-plugin-secure-token-api',
  tsconfig: 'tsconfig.build.json',
  entryPoints: Object.values(entries),
  out: 'target/api-docs',
  readme: 'none',
  disableSources: true,
  treatWarningsAsErrors: true,
  validation: { notExported: true, invalidLink: true, notDocumented: true },
  requiredToBeDocumented: ['Function', 'Class', 'Interface', 'TypeAlias', 'Variable', 'Method'],
  // The parts of types that nobody names.
  intentionallyNotExported: ['errorCodes', 'Events', 'SessionStore'],
});
const project = await app.convert();
if (project) {
  app.validate(project);
  if (!process.argv.includes('--check')) await app.generateOutputs(project);
}
if (!project || app.logger.hasErrors() || app.logger.hasWarnings()) process.exitCode = 1;
