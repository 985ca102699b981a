// Builds dist-js (ESM, CJS, types) and api-iife.js (window.__TAURI__.secureToken) from guest-js.

import { execFileSync } from 'node:child_process';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';
import { entries, inputOptions } from './bundle.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const dist = fileURLToPath(new URL('../dist-js/', import.meta.url));

async function build(input, ...outputs) {
  const bundle = await rolldown({ ...inputOptions, cwd: root, input });
  for (const output of outputs) await bundle.write(output);
  await bundle.close();
}

/** Puts an entry where its types are: into the same folder as its source. */
const inItsRoom = (extension) => (entry) =>
  relative(join(root, 'guest-js'), entry.facadeModuleId).replaceAll('\\', '/').replace(/ts$/, extension);

async function buildPackage() {
  await build(
    entries,
    { dir: dist, format: 'esm', entryFileNames: inItsRoom('js'), chunkFileNames: 'chunks/[name].js' },
    { dir: dist, format: 'cjs', entryFileNames: inItsRoom('cjs'), chunkFileNames: 'chunks/[name].cjs' },
  );
}

async function buildTypes() {
  const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
  execFileSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], { cwd: root, stdio: 'inherit' });
  // The package is of type "module", so a .d.ts describes ESM: require() needs files that say they are CJS.
  for (const name of await readdir(dist, { recursive: true })) {
    if (!name.endsWith('.d.ts')) continue;
    const types = await readFile(dist + name, 'utf8');
    await writeFile(
      dist + name.replace(/ts$/, 'cts'),
      types.replaceAll(/((?:from |import\()['"]\.\.?\/[\w/-]+)\.js/g, '$1.cjs'),
    );
  }
}

async function buildGlobal() {
  await build(entries.index, {
    file: `${root}api-iife.js`,
    format: 'iife',
    name: '__TAURI_PLUGIN_SECURE_TOKEN__',
    exports: 'named',
    globals: { '@tauri-apps/api/core': 'window.__TAURI__.core' },
    minify: true,
    banner: "if ('__TAURI__' in window) {",
    footer:
      "Object.defineProperty(window.__TAURI__, 'secureToken', { value: __TAURI_PLUGIN_SECURE_TOKEN__ }) }",
  });
}

await rm(dist, { recursive: true, force: true });
await buildPackage();
await buildTypes();
await buildGlobal();
