// Silences the warning that a page without Tauri gets, and makes sure that the page is one, in the project `browser`.

import { afterEach, beforeEach, expect, vi } from 'vitest';

beforeEach(() => {
  vi.spyOn(console, 'warn').mockImplementation(() => {});
});

afterEach(() => {
  expect(globalThis).not.toHaveProperty('__TAURI_INTERNALS__');
});
