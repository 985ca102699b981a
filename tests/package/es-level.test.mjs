// The language level of what is built: a webview that runs Tauri's own script has to run ours.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'acorn';
import { root } from '../../scripts/lib/paths.mjs';

/** The level of `bundle.global.js`, which Tauri 2.12 runs in a page that has `withGlobalTauri`. */
const ecmaVersion = 2019;

/**
 * Interfaces of the web that Safari 13 lacks, which Tauri's guide names as the oldest target of macOS and iOS. The
 * compiler option `lib` of tsconfig.build.json keeps those of the language away.
 */
const tooNew = new Set([
  'AbortSignal.any',
  'AbortSignal.timeout',
  'BroadcastChannel',
  'Response.json',
  'URL.canParse',
  'URL.parse',
  'crypto.randomUUID',
  'navigator.locks',
  'requestIdleCallback',
  'structuredClone',
]);

function* nodes(value) {
  if (Array.isArray(value)) for (const part of value) yield* nodes(part);
  else if (value?.type) {
    yield value;
    yield* nodes(Object.values(value).filter((part) => typeof part === 'object'));
  }
}

/** What is called or constructed: `name` or `object.name`. */
function* called(program) {
  for (const { type, callee } of nodes(program)) {
    if (type !== 'CallExpression' && type !== 'NewExpression') continue;
    if (callee.type === 'Identifier') yield callee.name;
    if (callee.type !== 'MemberExpression') continue;
    yield `${callee.object.name ?? callee.object.property?.name}.${callee.property.name}`;
  }
}

function problems(code, sourceType) {
  // `import()` came to the language later than to the webviews: Safari has it since 11.1.
  const program = parse(code.replaceAll(/\bimport\(/g, 'load('), { ecmaVersion, sourceType });
  return [...new Set(called(program))].filter((name) => tooNew.has(name));
}

const scripts = readdirSync(join(root, 'dist-js'), { recursive: true })
  .filter((name) => /\.c?js$/.test(name))
  .map((name) => join('dist-js', name));

for (const name of ['api-iife.js', ...scripts]) {
  test(`${name} is ES${ecmaVersion}, and calls nothing that Safari 13 lacks`, () => {
    const isModule = name.endsWith('.js') && name !== 'api-iife.js';
    assert.deepEqual(problems(readFileSync(join(root, name), 'utf8'), isModule ? 'module' : 'script'), []);
  });
}

test('a newer syntax and a newer interface are found', () => {
  assert.throws(() => problems('a ??= 1', 'script'), SyntaxError);
  assert.throws(() => problems('class A { b = 1 }', 'script'), SyntaxError);
  assert.deepEqual(problems('structuredClone(a); globalThis.crypto.randomUUID(); import(a)', 'script'), [
    'structuredClone',
    'crypto.randomUUID',
  ]);
});
