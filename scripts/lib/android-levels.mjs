// Counts the Android tests of each API level, and makes sure that every level ran every test.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { reportsOf } from './android-build.mjs';
import { androidJdks } from './android-java.mjs';

/** The plugin's own tests on each level are at least this many. */
const fewest = 60;

export function checkAndroidLevels() {
  const { levels } = androidJdks();
  const plugin = readNames('plugin');
  const shrunk = readNames('shrunk');
  for (const level of levels) {
    console.log(
      `  API ${level}: ${of(plugin, level).length} tests, ${of(shrunk, level).length} of the shrunk plugin`,
    );
  }
  return [...levelProblems('plugin', plugin, levels, fewest), ...levelProblems('shrunk', shrunk, levels, 1)];
}

/** A test's name ends with its level: `BridgeTest.a value goes round[28]`. */
export function levelProblems(title, names, levels, least) {
  const known = new Set(levels.flatMap((level) => of(names, level)));
  const problems = levels.flatMap((level) => {
    const missing = [...known].filter((name) => !of(names, level).includes(name));
    return missing.map((name) => `${title}: API ${level} did not run ${name}`);
  });
  if (known.size < least)
    problems.push(`${title}: ${known.size} tests a level; there were at least ${least}`);
  return problems;
}

function of(names, level) {
  return names
    .filter((name) => name.endsWith(`[${level}]`))
    .map((name) => name.slice(0, -`[${level}]`.length));
}

function readNames(module) {
  const folder = reportsOf(module);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith('.xml'))
    .flatMap((name) => testNames(readFileSync(join(folder, name), 'utf8')));
}

/** A test that was left out did not run. */
export function testNames(report) {
  const cases = report.matchAll(
    /<testcase name="([^"]*)" classname="([^"]*)"[^>]*?(?:\/>|>([\s\S]*?)<\/testcase>)/g,
  );
  return [...cases]
    .filter(([, , , inside]) => !inside?.includes('<skipped'))
    .map(([, name, className]) => `${className}.${name}`);
}
