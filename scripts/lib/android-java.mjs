// The JDKs of the Android test build: one that builds, and the newest one for the tests, which decides on the API levels.
import { existsSync, readdirSync, realpathSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { MissingPrerequisite } from './prerequisites.mjs';
import { answer } from './run.mjs';

/** R8 reads no class files of later JDKs, Robolectric none of later ones than its own last. */
const forBuild = { oldest: 17, newest: 21 };
const forTests = { oldest: 17, newest: 25 };

/** Robolectric runs the framework of API 36 with this JDK and later ones only. */
const forLevel36 = 21;

/** Fails where there is nothing to build with; what there is was installed by the distribution, whatever its version. */
export async function ensureAndroidTools() {
  const { home } = androidJdks();
  if (!answer(['mvn', '--version'], { env: { ...process.env, JAVA_HOME: home } })) {
    throw new MissingPrerequisite('Maven is missing; install it from https://maven.apache.org.');
  }
}

/** `home` builds, `java` is the program that runs the tests, and `levels` are the API levels that it can run. */
export function androidJdks(found = findJdks()) {
  const home = newestOf(found, forBuild)?.home;
  if (!home) {
    throw new MissingPrerequisite(
      `A JDK ${forBuild.oldest} to ${forBuild.newest} is missing; install one and set JAVA_HOME to it.`,
    );
  }
  const tests = newestOf(found, forTests);
  return {
    home,
    java: join(tests.home, 'bin/java'),
    levels: tests.version >= forLevel36 ? [24, 28, 35, 36] : [24, 28, 35],
  };
}

function newestOf(jdks, { oldest, newest }) {
  const usable = jdks.filter(({ version }) => version >= oldest && version <= newest);
  return usable.sort((a, b) => b.version - a.version)[0];
}

function findJdks() {
  const folder = '/usr/lib/jvm';
  const installed = existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [];
  return [process.env.JAVA_HOME, ...homesOnPath(), ...installed]
    .filter(Boolean)
    .map((home) => ({ home, version: versionOf(home) }))
    .filter(({ version }) => version);
}

function homesOnPath() {
  return process.env.PATH.split(delimiter)
    .map((folder) => join(folder, 'javac'))
    .filter(existsSync)
    .map((program) => dirname(dirname(realpathSync(program))));
}

/** Asks javac: a runtime alone has none, and builds nothing. */
function versionOf(home) {
  const [, version] = answer([join(home, 'bin/javac'), '-version'])?.match(/^javac (\d+)/) ?? [];
  return version && Number(version);
}
