// Where things live: the checkout, and the one cache folder outside it.
import { existsSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));
export const demoFolder = join(root, 'examples/vue-pinia');

export const cache = resolve(
  process.env.SECURE_TOKEN_CACHE ||
    join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'tauri-plugin-secure-token'),
);
export const targetDir = resolve(root, process.env.CARGO_TARGET_DIR || join(cache, 'target'));
export const toolsFolder = join(cache, 'tools');

export function builtBinary(name, profile = 'debug') {
  return join(targetDir, profile, process.platform === 'win32' ? `${name}.exe` : name);
}

/** Node 20 takes folders for `node --test`, Node 22 takes globs; both take files. */
export function testFiles(folder) {
  const names = readdirSync(join(root, folder)).filter((name) => name.endsWith('.test.mjs'));
  if (names.length === 0) throw new Error(`${folder} holds no *.test.mjs file`);
  return names.sort().map((name) => join(folder, name));
}

/** The crate's integration tests by target name, as cargo finds them; those that need a key store start with its platform. */
export function integrationTests() {
  return readdirSync(join(root, 'tests'))
    .filter((name) => name.endsWith('.rs') || existsSync(join(root, 'tests', name, 'main.rs')))
    .map((name) => name.replace(/\.rs$/, ''))
    .sort();
}
