// Gives Node the global that Tauri's mocks expect, and takes their traces away after each test.

import { afterEach, vi } from 'vitest';

Object.assign(globalThis, { window: globalThis });

afterEach(async () => {
  vi.useRealTimers();
  Reflect.deleteProperty(globalThis, '__TAURI_INTERNALS__');
  // What a page still has to do must not happen in the next test.
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
});
