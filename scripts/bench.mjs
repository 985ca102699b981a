// Measures what the plugin costs against the cheapest thing that could be done instead; `npm run bench`.
// Prints one run and writes bench/results.json. It judges nothing by its exit code: timings are not tests.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { limits, medianOfPairs } from './lib/bench-figures.mjs';
import { startDesktop } from './lib/desktop.mjs';
import { builtBinary, root } from './lib/paths.mjs';
import { ensurePrerequisites } from './lib/prerequisites.mjs';
import { startProcess } from './lib/processes.mjs';
import { buildAll } from './lib/runner.mjs';
import { buildPackages, keyringPackages, windowPackages } from './lib/system-packages.mjs';

const launches = 20;
const benchPackage = 'secure-token-bench';

await ensurePrerequisites({
  platform: 'linux',
  rust: {},
  packages: [...buildPackages, ...keyringPackages, ...windowPackages],
});
const command = ['cargo', 'build', '--release', '-p', benchPackage, '--features', 'custom-protocol'];
await buildAll([{ kind: 'build', title: 'build the bench app', command }]);

const desktop = await startDesktop();
try {
  report(await measure());
} finally {
  await desktop.stop();
}

/** Each entry: pairs of milliseconds, ours first, then what it is compared with. */
async function measure() {
  // The first leaves a token behind, which the others read.
  const setOverCreateItem = (await start('writes')).figures;
  const getOverNoop = (await start('calls')).figures;
  const launchOverNoop = [];
  for (let count = 0; count <= launches; count += 1) {
    const order = count % 2 === 0 ? ['first-token', 'first-noop'] : ['first-noop', 'first-token'];
    const times = {};
    for (const mode of order) times[mode] = (await start(mode)).ms;
    launchOverNoop.push([times['first-token'], times['first-noop']]);
  }
  // The first pair of launches only warms up.
  return { getOverNoop, launchOverNoop: launchOverNoop.slice(1), setOverCreateItem };
}

/** The app's figures, and the time from its start to its answer. */
async function start(mode) {
  const started = performance.now();
  const app = await startProcess(builtBinary(benchPackage, 'release'), [mode], { env: desktop.env });
  try {
    const line = await app.firstLine();
    const ms = performance.now() - started;
    const figures = JSON.parse(line);
    if (figures?.failed) throw new Error(`${mode}: ${figures.failed}`);
    return { figures, ms };
  } finally {
    await app.stop();
  }
}

function report(pairs) {
  const results = { ratios: {}, medians: {} };
  console.log('\nMedians of pairs that were measured in turn, in milliseconds:');
  for (const [name, limit] of Object.entries(limits)) {
    const { ratio, ours, base } = medianOfPairs(pairs[name]);
    results.ratios[name] = ratio;
    results.medians[name] = { ours, base, pairs: pairs[name].length };
    const verdict = ratio > limit ? `OVER the limit of ${limit}` : `within the limit of ${limit}`;
    console.log(
      `  ${name.padEnd(18)} ${ours.toFixed(3)} / ${base.toFixed(3)} = ${ratio.toFixed(3)}  ${verdict}`,
    );
  }
  const file = join(root, 'bench/results.json');
  writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`);
  console.log(`Written to ${file}`);
}
