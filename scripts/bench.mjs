// Measures what the plugin costs against the cheapest thing that could be done instead; `npm run bench`.
// Prints one run and writes bench/results.json. Its exit code tells whether the plugin has become heavier than
// bench/weight.json accepts (`npm run bench -- --accept-weight` writes that); timings are no tests.
import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { compared, idle, limits, shown } from './lib/bench-figures.mjs';
import { startDesktop } from './lib/desktop.mjs';
import { builtBinary, root } from './lib/paths.mjs';
import { ensurePrerequisites } from './lib/prerequisites.mjs';
import { startProcess } from './lib/processes.mjs';
import { buildAll } from './lib/runner.mjs';
import { buildPackages, keyringPackages, windowPackages } from './lib/system-packages.mjs';
import { wakeups } from './lib/wakeups.mjs';
import { accept, acceptedWeight, addedCrates, binaryWeight, outgrown } from './lib/weight.mjs';

const launches = 20;
const idleRounds = 3;
const idleSeconds = 60;
/** After that an app has done all that its start brings with it. */
const settleSeconds = 15;

const benchPackage = 'secure-token-bench';
const built = builtBinary(benchPackage, 'release');

await ensurePrerequisites({
  platform: 'linux',
  rust: {},
  packages: [...buildPackages, ...keyringPackages, ...windowPackages],
});
const withoutPlugin = await build('without-plugin', '--no-default-features');
const withPlugin = await build('with-plugin', '--no-default-features', '--features', 'plugin');
// An app that is weighed has no raw client in it.
const withRawClient = await build('with-raw-client');

const weight = { crates: addedCrates(), binary: binaryWeight(withPlugin, withoutPlugin) };
const desktop = await startDesktop();
try {
  const pairs = await measurePairs();
  const wakes = idle(await measureIdle());
  // The many accounts take the place of the token.
  const lists = (await run(withRawClient, 'list')).figures;
  report({ ...pairs, ...lists }, wakes);
} finally {
  await desktop.stop();
}
weigh();

/** As apps are released: everything optimised, thin link-time optimisation, no symbols. Returns where the binary is. */
async function build(variant, ...options) {
  const profile = ['lto="thin"', 'strip=true', 'opt-level=3'];
  const config = profile.flatMap((setting) => ['--config', `profile.release.${setting}`]);
  const features = ['--features', 'custom-protocol', ...options];
  const command = ['cargo', 'build', '--locked', '--release', '-p', benchPackage, ...config, ...features];
  await buildAll([{ kind: 'build', title: `build the bench app ${variant}`, command }]);
  const binary = `${built}-${variant}`;
  copyFileSync(built, binary);
  return binary;
}

/** Each entry: pairs of milliseconds, ours first, then what it is compared with. */
async function measurePairs() {
  // The first leaves a token behind, which the others read.
  const writes = (await run(withRawClient, 'writes')).figures;
  const getOverNoop = (await run(withPlugin, 'calls')).figures;
  const freshTokenOverNoop = (await run(withPlugin, 'fresh-token')).figures;
  const loginToOtherOverNoop = (await run(withPlugin, 'login-to-other')).figures;
  const launchOverNoop = [];
  for (let count = 0; count <= launches; count += 1) {
    const token = async () => (await run(withPlugin, 'first-token')).ms;
    const noop = async () => (await run(withoutPlugin, 'first-noop')).ms;
    if (count % 2 === 0) {
      const ours = await token();
      launchOverNoop.push([ours, await noop()]);
    } else {
      const base = await noop();
      launchOverNoop.push([await token(), base]);
    }
  }
  // The first pair of launches only warms up.
  return {
    getOverNoop,
    freshTokenOverNoop,
    loginToOtherOverNoop,
    launchOverNoop: launchOverNoop.slice(1),
    ...writes,
  };
}

/** Wake-ups with the plugin and without it, both apps at the same time. */
async function measureIdle() {
  const apps = [];
  try {
    for (const [binary, mode] of [
      [withPlugin, 'idle-token'],
      [withoutPlugin, 'idle-noop'],
    ]) {
      const app = await start(binary, mode);
      apps.push(app);
      figuresOf(mode, await app.firstLine());
    }
    await pause(settleSeconds * 1000);
    const rounds = [];
    for (let round = 0; round < idleRounds; round += 1) {
      console.log(`Idle for ${idleSeconds} s, ${round + 1} of ${idleRounds}`);
      const pids = apps.map((app) => app.pid);
      rounds.push(await wakeups(pids, idleSeconds));
    }
    return rounds;
  } finally {
    for (const app of apps) await app.stop();
  }
}

/** The app's figures, and the time from its start to them. */
async function run(binary, mode) {
  const started = performance.now();
  const app = await start(binary, mode);
  try {
    const line = await app.firstLine();
    const ms = performance.now() - started;
    return { figures: figuresOf(mode, line), ms };
  } finally {
    await app.stop();
  }
}

function start(binary, mode) {
  return startProcess(binary, [mode], { env: desktop.env });
}

function figuresOf(mode, line) {
  const figures = JSON.parse(line);
  if (figures?.failed) throw new Error(`${mode}: ${figures.failed}`);
  return figures;
}

function report(pairs, wakes) {
  const results = { ratios: {}, medians: {} };
  console.log('\nMedians of what was measured in turn, in milliseconds, and their quotient:');
  for (const [name, limit] of Object.entries(limits)) {
    const { ours, base, ratio } = compared(pairs[name]);
    results.ratios[name] = ratio;
    results.medians[name] = { ours, base, pairs: pairs[name].length };
    const figures = `${shown(ours)} / ${shown(base)} = ${shown(ratio)}`;
    console.log(`  ${name.padEnd(20)} ${figures}  ${verdict(ratio, limit)}`);
  }
  const { ours, base } = results.medians.listOverRaw;
  const seconds = (ms) => Number(shown(ms / 1000));
  results.list10000Seconds = seconds(ours);
  console.log(`  list10000Seconds     ${seconds(ours)}, the raw client ${seconds(base)}`);
  results.idleWakeups = wakes.added;
  results.idle = { ...wakes, seconds: idleSeconds, rounds: idleRounds };
  console.log(
    `  idleWakeups          ${wakes.withPlugin} - ${wakes.withoutPlugin} = ${wakes.added} in ${idleSeconds} s  ${verdict(wakes.added, wakes.noise)}`,
  );
  const file = join(root, 'bench/results.json');
  writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`);
  console.log(`Written to ${file}`);
}

function verdict(figure, limit) {
  return figure > limit ? `OVER the limit of ${limit}` : `within the limit of ${limit}`;
}

function weigh() {
  const { binary, crates } = weight;
  const megabytes = (bytes) => (bytes / 1e6).toFixed(2);
  console.log(
    `\nBinary: ${megabytes(binary.withPlugin)} MB - ${megabytes(binary.withoutPlugin)} MB = ${megabytes(binary.growth)} MB`,
  );
  for (const [target, count] of Object.entries(crates)) console.log(`  ${count} crates more for ${target}`);
  if (process.argv.includes('--accept-weight')) {
    accept(weight);
    return;
  }
  const problems = outgrown(acceptedWeight(), weight);
  for (const problem of problems) console.error(`TOO HEAVY: ${problem}`);
  if (problems.length > 0) process.exitCode = 1;
}
