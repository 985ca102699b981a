// The npm package as it is published, from the build of the stage.
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cache, root } from '../../scripts/lib/paths.mjs';
import { answer } from '../../scripts/lib/run.mjs';

export const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** Where a test of this folder works. */
export function workFolder(name) {
  const folder = join(cache, 'npm-package', name);
  mkdirSync(folder, { recursive: true });
  return folder;
}

/** Packs what is built and returns the path of the tarball. */
export function pack(folder) {
  const listing = answer(['npm', 'pack', '--json', '--ignore-scripts', '--pack-destination', folder]);
  if (!listing) throw new Error('npm pack failed');
  return join(folder, JSON.parse(listing)[0].filename);
}

/** Runs a command in `cwd`. Rejects with all that it printed when it fails. */
export async function command([name, ...args], cwd) {
  const windows = process.platform === 'win32';
  try {
    return await promisify(execFile)(name, args, { cwd, shell: windows, maxBuffer: 1 << 26 });
  } catch ({ message, stdout, stderr }) {
    throw new Error(`${message}\n${stdout}${stderr}`);
  }
}
