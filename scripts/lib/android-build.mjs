// Runs the Maven build in tests/android: the libraries once, the plugin with its tests every time.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { androidJdks } from './android-java.mjs';
import { cache, root } from './paths.mjs';
import { run, toolEnvironment } from './run.mjs';
import { tauriCrate } from './tauri-crate.mjs';

const project = join(root, 'tests/android');

/** What is built, outside the checkout. */
export const androidFolder = join(cache, 'android-tests');

export function androidEnvironment() {
  return { JAVA_HOME: androidJdks().home };
}

/** Set SECURE_TOKEN_GOOGLE_MAVEN=1 where Google's Maven repository is to serve androidx. */
export function maven(...goals) {
  return [
    'mvn',
    '--batch-mode',
    '--no-transfer-progress',
    '--file',
    project,
    ...(process.env.SECURE_TOKEN_GOOGLE_MAVEN ? ['--activate-profiles', 'google'] : []),
    `-Dmaven.repo.local=${join(cache, 'm2')}`,
    `-Dbuild.folder=${androidFolder}`,
    `-Dtauri.android=${join(tauriCrate(), 'mobile/android')}`,
    ...goals,
  ];
}

export const reportsOf = (module) => join(androidFolder, module, 'surefire-reports');

/** The plugin and its tests, then the shrunk plugin and its own. Reports of earlier runs would be counted with theirs. */
export function testAndroid() {
  const { java, levels } = androidJdks();
  for (const module of ['plugin', 'shrunk']) rmSync(reportsOf(module), { recursive: true, force: true });
  return maven('verify', '--projects', 'plugin,shrunk', `-Djvm=${java}`, `-Dandroid.levels=${levels}`);
}

/** Makes androidx and Tauri's own Kotlin for the plugin to compile against, unless that was done. */
export async function buildAndroidLibraries() {
  const command = maven('install', '--quiet', '--projects', '.,androidx,tauri');
  const mark = join(androidFolder, 'libraries-built-from');
  const wanted = inputs(command);
  if (existsSync(mark) && readFileSync(mark, 'utf8') === wanted) return [];
  const { code } = await run(command, { env: { ...toolEnvironment(), ...androidEnvironment() } });
  if (code !== 0) return [`Maven ended with ${code}`];
  mkdirSync(dirname(mark), { recursive: true });
  writeFileSync(mark, wanted);
  return [];
}

/** The command names the crate by its version; a crate in the registry's folder never changes. */
function inputs(command) {
  const files = ['pom.xml', 'androidx/pom.xml', 'tauri/pom.xml', 'tauri/generated/BuildConfig.kt'];
  const hash = createHash('sha256').update(command.join('\n'));
  for (const file of files) hash.update(readFileSync(join(project, file)));
  return hash.digest('hex');
}
