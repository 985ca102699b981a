// Lets a test import the code blocks of the documentation: `docs:frameworks/vue.md` is the component of that page, and
// './auth' in it the block that says it is `src/auth.ts`.

import { join } from 'node:path';
import { compile as compileSvelte } from 'svelte/compiler';
import ts from 'typescript';
import { compileScript, parse } from 'vue/compiler-sfc';
import { entries } from '../../../scripts/bundle.mjs';
import { root } from '../../../scripts/lib/paths.mjs';
import { fileNameOf, pages, snippetsOf } from '../../../scripts/lib/snippets.mjs';

const PACKAGE = 'tauri-plugin-secure-token-api';

/** Where the blocks seem to be. */
const folder = join(root, 'tests/docs');

function transpile(code) {
  const compilerOptions = {
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.ESNext,
    jsx: ts.JsxEmit.ReactJSX,
    experimentalDecorators: true,
  };
  return ts.transpileModule(code, { compilerOptions, fileName: 'block.tsx' }).outputText;
}

const compilers = {
  ts: transpile,
  tsx: transpile,
  vue: (code) =>
    transpile(compileScript(parse(code).descriptor, { id: 'block', inlineTemplate: true }).content),
  svelte: (code, filename) => compileSvelte(code, { filename, dev: true }).js.code,
};

/** The components that the tests of docs/testing.md import, and where they stand. */
const components = {
  './Account': 'frameworks/react.md',
  './Account.vue': 'frameworks/vue.md',
  './Account.svelte': 'frameworks/svelte.md',
  './account.component': 'frameworks/angular.md',
};

function readBlocks() {
  const blocks = new Map();
  for (const snippet of pages().flatMap((page) => snippetsOf(page))) {
    const compile = compilers[snippet.language];
    if (!compile) continue;
    const name = fileNameOf(snippet)?.replace(/\.tsx?$/, '') ?? snippet.page.replace('docs/', '');
    blocks.set(join(folder, `${name}.js`), () => compile(snippet.code, snippet.page));
  }
  return blocks;
}

/** A plugin of Vite. */
export function docsApp() {
  const blocks = readBlocks();
  return {
    name: 'docs-app',
    enforce: 'pre',
    resolveId(id, importer) {
      if (id.startsWith('docs:')) return join(folder, `${id.slice('docs:'.length)}.js`);
      if (!importer || !blocks.has(importer)) return undefined;
      if (id.startsWith('./')) return join(folder, `${components[id] ?? id}.js`);
      const entry = id === PACKAGE ? 'index' : id.startsWith(`${PACKAGE}/`) && id.slice(PACKAGE.length + 1);
      return entry ? join(root, entries[entry]) : undefined;
    },
    load: (id) => blocks.get(id)?.(),
  };
}
