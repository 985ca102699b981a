// What `git clone`, `npm install` and `npm pack` make: whoever publishes need not know of a build.
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { npmProblems } from '../../scripts/lib/package-contents.mjs';
import { root } from '../../scripts/lib/paths.mjs';
import { command, manifest } from './packed.mjs';

test('npm pack in a fresh clone packs everything', async (t) => {
  const clone = mkdtempSync(join(tmpdir(), 'fresh-clone-'));
  t.after(() => rmSync(clone, { recursive: true }));
  const { stdout } = await command(
    ['git', 'ls-files', '-z', '--cached', '--others', '--exclude-standard', '--deduplicate'],
    root,
  );
  for (const name of stdout.split('\0').filter((name) => /^(guest-js|scripts)\/|^[^/]+$/.test(name))) {
    mkdirSync(dirname(join(clone, name)), { recursive: true });
    cpSync(join(root, name), join(clone, name));
  }
  symlinkSync(join(root, 'node_modules'), join(clone, 'node_modules'), 'junction');
  const packed = await command(['npm', 'pack', '--json'], clone);
  const [{ files }] = JSON.parse(packed.stdout.slice(packed.stdout.indexOf('[\n')));
  assert.deepEqual(
    npmProblems(
      files.map(({ path }) => path),
      manifest,
    ),
    [],
  );
});
