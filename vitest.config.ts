// How the tests of guest-js run: in Node, with a window that has what Tauri's mocks need.

import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    dir: 'guest-js',
    setupFiles: ['guest-js/tests/window.ts'],
    restoreMocks: true,
  },
});
