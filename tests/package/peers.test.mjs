// The package installed with npm beside the oldest and the newest version of each framework, and its bindings run there.
import assert from 'node:assert/strict';
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { root } from '../../scripts/lib/paths.mjs';
import { apps, bystanders, documented } from './apps.mjs';
import { command, manifest, pack, workFolder } from './packed.mjs';

const tarball = pack(workFolder('peers'));

/** Makes an app with `versions` that installs the package as npm does by default: no conflict is overruled. */
async function install(name, versions, ...options) {
  const folder = workFolder(`peers/${name}`);
  rmSync(folder, { recursive: true });
  cpSync(join(root, 'tests/package/page'), folder, { recursive: true });
  const dependencies = {
    ...versions,
    'happy-dom': manifest.devDependencies['happy-dom'],
    [manifest.name]: `file:${tarball}`,
  };
  writeFileSync(
    join(folder, 'package.json'),
    JSON.stringify({ private: true, type: 'module', dependencies }),
  );
  const always = ['--prefer-offline', '--ignore-scripts', '--no-audit', '--no-fund'];
  await command(['npm', 'install', ...always, ...options], folder);
  const { packages } = JSON.parse(readFileSync(join(folder, 'package-lock.json'), 'utf8'));
  const installed = Object.keys(versions).map((key) => [key, packages[`node_modules/${key}`].version]);
  assert.deepEqual(Object.fromEntries(installed), versions);
  return folder;
}

describe('npm installs the package and leaves every version as it is', { concurrency: 2 }, () => {
  for (const [name, { versions, runs }] of Object.entries(apps)) {
    test(name, async (t) => {
      const folder = await install(name, versions);
      for (const script of runs) {
        // `browser`: as a bundler for a webview resolves.
        await t.test(`${name}: ${script}`, () =>
          command([process.execPath, '-C', 'browser', `${script}.mjs`], folder),
        );
      }
    });
  }

  for (const [name, versions] of Object.entries(bystanders)) {
    test(`${name}, without using a binding`, () => install(name, versions, '--package-lock-only'));
  }
});

/** `1.12.0` is `1.12`, `18.0.0` is `18`: as people write them. */
const short = (version) => version.split('.').slice(0, 2).join('.').replace(/\.0$/, '');

for (const [page, { package: name, apps: tried }] of Object.entries(documented)) {
  test(`docs/frameworks/${page}.md names the versions that were tried`, () => {
    const line = readFileSync(join(root, `docs/frameworks/${page}.md`), 'utf8').split('\n')[2];
    for (const app of tried) {
      const version = short(apps[app].versions[name]);
      assert.ok(line.split(/[^\d.]+|\.(?!\d)/).includes(version), `${version} is not in: ${line}`);
    }
  });
}
