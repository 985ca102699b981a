// Fails when the guest code outgrows its budget: gzip bytes of the minified sources without dependencies.

import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { rolldown } from 'rolldown';
import { entries, inputOptions } from './bundle.mjs';

/** Each figure must stay under its budget. `index` is all but the bindings: commands, session and fetch. */
const budgets = {
  index: 7800,
  'angular-http': 600,
  axios: 500,
  'keep-fresh': 650,
  migrate: 1000,
  // Without the core: an app may have this instead of it.
  native: 9000,
  outbox: 1200,
  storage: 2600,
  testing: 4500,
};

/** The budget of a binding. */
const BINDING = 400;

async function gzipSize(input) {
  const bundle = await rolldown({
    ...inputOptions,
    cwd: fileURLToPath(new URL('..', import.meta.url)),
    input,
    // As the bundler of an app: what is loaded at once is one chunk.
    preserveEntrySignatures: 'allow-extension',
    // The others are measured beside the core, which an app has anyway, unless it has `native` instead.
    external: [
      ...inputOptions.external,
      ...(input === entries.index || input === entries.native
        ? []
        : [/\/(auth-fetch-options|check|commands|emit|errors|fetch|retry-delay|session)\.js$/]),
    ],
  });
  const { output } = await bundle.generate({ format: 'esm', minify: true });
  await bundle.close();
  const chunks = new Map(output.map((chunk) => [chunk.fileName, chunk]));
  // What a page loads at once: the entry and what it imports, without what it imports on demand.
  const loaded = new Set([output[0]]);
  for (const { imports } of loaded) {
    for (const name of imports) if (chunks.has(name)) loaded.add(chunks.get(name));
  }
  const code = [...loaded].map((chunk) => chunk.code).join('');
  return gzipSync(code, { level: 9 }).length;
}

for (const name of Object.keys(entries)) {
  const budget = budgets[name] ?? BINDING;
  const size = await gzipSize(entries[name]);
  const fits = size < budget;
  console.log(`${name}: ${size} of ${budget} bytes gzip${fits ? '' : ', over budget'}`);
  if (!fits) process.exitCode = 1;
}
