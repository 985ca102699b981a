// Where the tauri crate lies that Cargo has resolved for this checkout: the tests of the shims build its own sources.
import { execFileSync } from 'node:child_process';
import { dirname } from 'node:path';
import { root } from './paths.mjs';
import { toolEnvironment } from './run.mjs';

export function tauriCrate() {
  const metadata = execFileSync('cargo', ['metadata', '--locked', '--format-version', '1'], {
    cwd: root,
    env: toolEnvironment(),
    maxBuffer: 2 ** 28,
  });
  return dirname(JSON.parse(metadata).packages.find(({ name }) => name === 'tauri').manifest_path);
}
