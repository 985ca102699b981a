// How the tests of guest-js run: in Node, with a window that has what Tauri's mocks need.

import { compile } from 'svelte/compiler';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  plugins: [
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
    setupFiles: ['guest-js/tests/window.ts'],
    restoreMocks: true,
    server: { deps: { inline: [/\/(solid-js|svelte)\//] } },
  },
});
