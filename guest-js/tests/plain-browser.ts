// Silences the warning that a page without Tauri gets, in all tests of the project `browser`.

import { beforeEach, vi } from 'vitest';

beforeEach(() => {
  vi.spyOn(console, 'warn').mockImplementation(() => {});
});
