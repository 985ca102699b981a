// Fails when the guest code outgrows its budget: gzip bytes of the minified sources without dependencies.

import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { rolldown } from 'rolldown';
import { entries, inputOptions } from './bundle.mjs';

/** Each figure must stay under its budget. `index` is all but the bindings: commands, session and fetch. */
const budgets = { index: 4096, 'keep-fresh': 600, migrate: 1000, outbox: 1150, storage: 2450 };

/** The budget of a binding. */
const BINDING = 400;

async function gzipSize(input) {
  const bundle = await rolldown({
    ...inputOptions,
    cwd: fileURLToPath(new URL('..', import.meta.url)),
    input,
    // A binding is measured beside the core, which an app with a binding has anyway.
    external: [
      ...inputOptions.external,
      ...(input === entries.index
        ? []
        : [/\/(auth-fetch-options|check|commands|emit|errors|fetch|retry-delay|session)\.js$/]),
    ],
  });
  const { output } = await bundle.generate({ format: 'esm', minify: true });
  await bundle.close();
  return gzipSync(output[0].code, { level: 9 }).length;
}

for (const name of Object.keys(entries)) {
  const budget = budgets[name] ?? BINDING;
  const size = await gzipSize(entries[name]);
  const fits = size < budget;
  console.log(`${name}: ${size} of ${budget} bytes gzip${fits ? '' : ', over budget'}`);
  if (!fits) process.exitCode = 1;
}
