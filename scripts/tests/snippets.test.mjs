// How the code blocks of the documentation are found.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileNameOf, pages, snippetsOf } from '../lib/snippets.mjs';

test('each block comes with its language and the line of its first line of code', () => {
  const text = 'A page\n\n```ts\nconst one = 1;\n```\n\nmore\n```sh\nls\n\nls\n```\n```\nplain\n```\n';
  assert.deepEqual(snippetsOf('page.md', text), [
    { page: 'page.md', line: 4, language: 'ts', code: 'const one = 1;\n' },
    { page: 'page.md', line: 9, language: 'sh', code: 'ls\n\nls\n' },
    { page: 'page.md', line: 14, language: '', code: 'plain\n' },
  ]);
});

test('a block that does not end is an error', () => {
  assert.throws(() => snippetsOf('page.md', 'text\n```ts\nconst one = 1;\n'), /page\.md:2/);
});

test('the README and the pages in folders of docs are read', () => {
  const found = pages();
  assert.ok(found.includes('README.md'));
  assert.ok(found.includes('docs/storage.md'));
  assert.ok(found.includes('docs/libraries/supabase.md'));
});

test('a block can say which file of the app it is', () => {
  assert.equal(fileNameOf({ code: '// src/auth.ts\nexport const one = 1;\n' }), 'auth.ts');
  assert.equal(fileNameOf({ code: '// src/Account.tsx\n' }), 'Account.tsx');
  assert.equal(fileNameOf({ code: 'export const one = 1; // src/auth.ts\n' }), undefined);
});
