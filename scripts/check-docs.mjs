// Fails when a code block of the documentation does not compile against the built package, as an app would.
import { join } from 'node:path';
import { compile as compileSvelte } from 'svelte/compiler';
import ts from 'typescript';
import { parse as parseVue } from 'vue/compiler-sfc';
import { root } from './lib/paths.mjs';
import { fileNameOf, pages, snippetsOf } from './lib/snippets.mjs';

/** What the snippets import from the app around them. */
const appFolder = join(root, 'tests/docs');

const options = {
  target: ts.ScriptTarget.ES2022,
  lib: ['lib.es2023.d.ts', 'lib.dom.d.ts', 'lib.dom.iterable.d.ts'],
  module: ts.ModuleKind.ESNext,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
  // What the scaffolds give a page.
  types: ['vite/client', 'svelte'],
  strict: true,
  noEmit: true,
  skipLibCheck: true,
  experimentalDecorators: true,
  jsx: ts.JsxEmit.Preserve,
  jsxImportSource: 'react',
  paths: { vuex: [join(root, 'node_modules/vuex/types/index.d.ts')] },
};

/** What a block is checked with, by its language. Blocks of other languages are shown, not compiled. */
const checks = {
  ts: typescript,
  tsx: typescript,
  js: javascript,
  vue: (snippet) => typescript(scriptOf(snippet, vueScripts(snippet))),
  svelte: (snippet) => {
    compileSvelte(snippet.code, { filename: snippet.page });
    return typescript(scriptOf(snippet, svelteScripts(snippet)));
  },
  json: (snippet) => void JSON.parse(snippet.code),
  jsonc: (snippet) => {
    const { error } = ts.parseConfigFileTextToJson(snippet.page, snippet.code);
    if (error) throw new Error(message(error));
  },
};

/**
 * The modules that TypeScript compiles, by path: each stands beside what it may import. A block that says which file of
 * the app it is can be imported by the others.
 */
const modules = new Map();

function typescript(snippet) {
  const extension = snippet.language === 'tsx' ? 'tsx' : 'ts';
  const name = fileNameOf(snippet) ?? `${snippet.page.replaceAll(/\W/g, '-')}-${snippet.line}.${extension}`;
  const path = join(appFolder, name);
  if (modules.has(path)) throw new Error(`${name} is on another page already: link to it`);
  modules.set(path, { ...snippet, code: `${snippet.code}\nexport {};\n` });
}

/** A page without a bundler: its syntax only, since what Tauri puts into the page has no types. */
function javascript(snippet) {
  const { diagnostics } = ts.transpileModule(snippet.code, {
    fileName: 'block.js',
    reportDiagnostics: true,
    compilerOptions: { target: options.target, module: options.module, allowJs: true },
  });
  if (diagnostics.length > 0) throw new Error(message(diagnostics[0]));
}

/** The script of a component, moved to the line where it stands in the page. */
function scriptOf(snippet, [{ code, offset } = { code: '', offset: 0 }]) {
  const before = snippet.code.slice(0, offset).split('\n').length - 1;
  return { ...snippet, code, line: snippet.line + before };
}

function vueScripts(snippet) {
  const { descriptor, errors } = parseVue(snippet.code);
  if (errors.length > 0) throw errors[0];
  const { scriptSetup } = descriptor;
  return scriptSetup ? [{ code: scriptSetup.content, offset: scriptSetup.loc.start.offset }] : [];
}

function svelteScripts({ code }) {
  const script = code.match(/<script[^>]*>/);
  if (!script) return [];
  const offset = script.index + script[0].length;
  return [{ code: code.slice(offset, code.indexOf('</script>')), offset }];
}

const message = (diagnostic) => ts.flattenDiagnosticMessageText(diagnostic.messageText, ' ');

function typeErrors() {
  const host = ts.createCompilerHost(options);
  const { readFile, fileExists } = host;
  host.readFile = (path) => modules.get(path)?.code ?? readFile(path);
  host.fileExists = (path) => modules.has(path) || fileExists(path);
  const getSourceFile = host.getSourceFile.bind(host);
  host.getSourceFile = (path, ...rest) =>
    modules.has(path)
      ? ts.createSourceFile(path, modules.get(path).code, options.target, true)
      : getSourceFile(path, ...rest);
  const program = ts.createProgram([...modules.keys()], options, host);
  return ts.getPreEmitDiagnostics(program).map((diagnostic) => {
    const snippet = diagnostic.file && modules.get(diagnostic.file.fileName);
    if (!snippet) return `${diagnostic.file?.fileName}: ${message(diagnostic)}`;
    const { line } = diagnostic.file.getLineAndCharacterOfPosition(diagnostic.start);
    return `${snippet.page}:${snippet.line + line}: ${message(diagnostic)}`;
  });
}

const problems = [];
let checked = 0;
for (const snippet of pages().flatMap((page) => snippetsOf(page))) {
  const check = checks[snippet.language];
  if (!check) continue;
  checked++;
  try {
    check(snippet);
  } catch (error) {
    problems.push(`${snippet.page}:${snippet.line}: ${error.message}`);
  }
}
problems.push(...typeErrors());
for (const problem of problems) console.error(problem);
console.log(`${checked} code blocks of the documentation, ${problems.length} problems`);
if (checked === 0 || problems.length > 0) process.exitCode = 1;
