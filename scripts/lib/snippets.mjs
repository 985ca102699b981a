// The code blocks of Markdown pages, and where each stands.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './paths.mjs';

/** The pages whose code people copy. */
export function pages() {
  const docs = readdirSync(join(root, 'docs'), { recursive: true }).filter((name) => name.endsWith('.md'));
  return ['README.md', ...docs.sort().map((name) => `docs/${name.replaceAll('\\', '/')}`)];
}

/** @returns {{ page: string, line: number, language: string, code: string }[]} `line` is the first of the code, from 1. */
export function snippetsOf(page, text = readFileSync(join(root, page), 'utf8')) {
  const found = [];
  let open;
  for (const [index, line] of text.split('\n').entries()) {
    const fence = line.match(/^```(\S*)/);
    if (!fence) open?.lines.push(line);
    else if (open) {
      found.push({ page, line: open.line, language: open.language, code: `${open.lines.join('\n')}\n` });
      open = undefined;
    } else open = { line: index + 2, language: fence[1], lines: [] };
  }
  if (open) throw new Error(`${page}:${open.line - 1}: a code block that does not end`);
  return found;
}

/** The file of an app that a block says it is, in its first line: `// src/auth.ts` is "auth.ts". */
export const fileNameOf = ({ code }) => code.match(/^\/\/ src\/([\w.-]+\.tsx?)\n/)?.[1];
