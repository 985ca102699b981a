// The types of the package as TypeScript finds and reads them, however an app is set up.
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import ts from 'typescript';
import { root } from '../../scripts/lib/paths.mjs';
import { command, manifest, pack, workFolder } from './packed.mjs';

const app = workFolder('types');
rmSync(app, { recursive: true });
const modules = join(app, 'node_modules');
mkdirSync(modules, { recursive: true });
for (const name of readdirSync(join(root, 'node_modules'))) {
  if (name !== manifest.name && !name.startsWith('.'))
    symlinkSync(join(root, 'node_modules', name), join(modules, name), 'junction');
}
await command(['tar', '-xf', pack(app), '-C', app], app);
cpSync(join(app, 'package'), join(modules, manifest.name), { recursive: true });
for (const [folder, type] of [
  ['esm', 'module'],
  ['cjs', 'commonjs'],
]) {
  mkdirSync(join(app, folder));
  cpSync(join(root, 'tests/package/consumer.ts'), join(app, folder, 'consumer.ts'));
  writeFileSync(join(app, folder, 'package.json'), JSON.stringify({ type }));
}

const { ModuleKind, ModuleResolutionKind } = ts;
const node16 = { module: ModuleKind.Node16, moduleResolution: ModuleResolutionKind.Node16 };

/** How the `tsconfig.json` of an app may say where modules are found. */
const setUps = {
  node10: ['esm', { module: ModuleKind.ESNext, moduleResolution: ModuleResolutionKind.Node10 }],
  'node16, CommonJS': ['cjs', node16],
  'node16, ESM': ['esm', node16],
  bundler: ['esm', { module: ModuleKind.ESNext, moduleResolution: ModuleResolutionKind.Bundler }],
};

for (const [name, [folder, options]] of Object.entries(setUps)) {
  for (const exactOptionalPropertyTypes of [true, false]) {
    test(`${name}, exactOptionalPropertyTypes ${exactOptionalPropertyTypes}`, () => {
      const program = ts.createProgram([join(app, folder, 'consumer.ts')], {
        ...options,
        ignoreDeprecations: '6.0',
        target: ts.ScriptTarget.ES2022,
        lib: ['lib.es2022.d.ts', 'lib.dom.d.ts', 'lib.dom.iterable.d.ts'],
        types: [],
        strict: true,
        noEmit: true,
        skipLibCheck: true,
        exactOptionalPropertyTypes,
      });
      const problems = ts.getPreEmitDiagnostics(program);
      assert.deepEqual(
        problems.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, ' ')),
        [],
      );
    });
  }
}

test('every optional property takes undefined, for apps with exactOptionalPropertyTypes', () => {
  const refusing = [];
  const look = (file) => (node) => {
    if (ts.isPropertySignature(node) && node.questionToken && !/\bundefined$/.test(node.type.getText(file)))
      refusing.push(`${file.fileName}: ${node.getText(file)}`);
    ts.forEachChild(node, look(file));
  };
  const dist = join(root, 'dist-js');
  const files = readdirSync(dist, { recursive: true }).filter((name) => name.endsWith('.d.ts'));
  assert.notEqual(files.length, 0);
  for (const name of files) {
    const text = ts.sys.readFile(join(dist, name));
    const file = ts.createSourceFile(name, text, ts.ScriptTarget.ES2022, true);
    look(file)(file);
  }
  assert.deepEqual(refusing, []);
});
