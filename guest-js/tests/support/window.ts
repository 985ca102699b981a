// Gives Node the global that Tauri's mocks expect, and takes their traces away after each test.

import { afterEach, vi } from 'vitest';

Object.assign(globalThis, { window: globalThis });

afterEach(() => {
  vi.useRealTimers();
  Reflect.deleteProperty(globalThis, '__TAURI_INTERNALS__');
});
