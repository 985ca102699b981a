// Fails when the crate as it is published does not compile: with its tests, away from the checkout.
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { cache, targetDir } from './lib/paths.mjs';
import { answer, run } from './lib/run.mjs';

const folder = join(cache, 'crate');
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });

async function must(command, options) {
  const { code } = await run(command, options);
  if (code !== 0) process.exit(code);
}

const plugin = ['-p', 'tauri-plugin-secure-token'];
await must(['cargo', 'package', ...plugin, '--locked', '--no-verify', '--allow-dirty']);
const version = answer(['cargo', 'pkgid', ...plugin])
  .trim()
  .split(/[#@]/)
  .at(-1);
const crate = join(targetDir, `package/tauri-plugin-secure-token-${version}.crate`);
await must(['tar', '-xf', crate, '-C', folder, '--strip-components=1']);
await must(['cargo', 'check', '--locked', '--tests'], { cwd: folder });
