// How the tests of guest-js run: in Node, in three projects that differ in what the page has.

import { compile } from 'svelte/compiler';
import { defineConfig } from 'vitest/config';
import { docsApp } from './guest-js/tests/docs/plugin.mjs';

/** Gives Node the global that Tauri's mocks expect. */
const page = 'guest-js/tests/support/window.ts';

/**
 * Tests whose third-party library cannot live with a frozen Object.prototype. Nothing of ours may be here.
 */
const cannotBeFrozen = [
  // The OpenID provider, a server that the test runs in its own process: `cookies` assigns `toString` to its objects.
  'storage/oidc-client-ts',
  // axios 1.21 assigns `constructor` to an object when it is loaded; so no app has it beside `freezePrototype`.
  'requests/axios',
  'requests/native-axios',
  'session/refusal-axios',
];

/** What a page does without a key store, too. All other tests need one or the bridge to it. */
const withoutKeyStore = [
  'bindings/*',
  'requests/{angular-http,angular-xhr,axios,fetch,fetch-options,login,request-init}',
  'requests/clients/{ky,ofetch,openapi-fetch}',
  'session/{expiry,leaks,memory,receive,refresh,refresh-hint,refusal,refusal-axios}',
  'storage/memory',
];

/** Patterns are relative to `dir`. */
const files = (names: string[]) => names.map((name) => `tests/${name}.test.ts`);

export default defineConfig({
  plugins: [
    docsApp(),
    {
      name: 'svelte',
      transform: (code, id) =>
        id.endsWith('.svelte') ? compile(code, { filename: id, dev: true }).js : undefined,
    },
  ],
  // Tests with a DOM get what a browser gets: in Node some frameworks are their builds for servers.
  environments: { client: { resolve: { conditions: ['browser', 'development', 'module'] } } },
  test: {
    dir: 'guest-js',
    restoreMocks: true,
    server: { deps: { inline: [/\/(solid-js|svelte)\//] } },
    projects: [
      // A window of Tauri.
      { extends: true, test: { name: 'tauri', setupFiles: [page], provide: { keyStore: true } } },
      // The same with `freezePrototype`.
      {
        extends: true,
        test: {
          name: 'frozen',
          setupFiles: ['guest-js/tests/support/freeze.ts', page],
          provide: { keyStore: true },
          exclude: files(cannotBeFrozen),
        },
      },
      // A plain browser, as in `vite dev`.
      {
        extends: true,
        test: {
          name: 'browser',
          setupFiles: [page, 'guest-js/tests/support/plain-browser.ts'],
          provide: { keyStore: false },
          include: files(withoutKeyStore),
        },
      },
    ],
  },
});
