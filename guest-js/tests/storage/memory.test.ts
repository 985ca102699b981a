// Without Tauri, as in plain `vite dev`: memory only, and one warning.

import { beforeEach, expect, it, vi } from 'vitest';
import { until } from '../support/helpers.js';
import { freshStorage, type StoragePage } from './page.js';

let page: StoragePage;
let warn: ReturnType<typeof vi.spyOn>;

beforeEach(async () => {
  warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
  page = await freshStorage();
});

it('keeps values as long as the page lasts, and warns once', async () => {
  const storage = page.createSecureStorage();
  await storage.setItem('k', '');
  await page.createSecureStorage({ namespace: 'other' }).clear();
  expect(await page.createSecureStorage().getItem('k')).toBe('');
  expect(await storage.getKeys()).toEqual(['k']);
  await storage.removeItem('k');
  expect(await storage.getItem('k')).toBeNull();
  expect(await storage.length).toBe(0);
  expect(warn).toHaveBeenCalledTimes(1);
});

it('refuses what the key store would refuse', async () => {
  const storage = page.createSecureStorage();
  await expect(storage.setItem('k'.repeat(600), 'v')).rejects.toMatchObject({ code: 'invalid-argument' });
  await expect(storage.setItem('k', 'v'.repeat(1 << 20))).rejects.toMatchObject({ code: 'too-large' });
});

it('the mirror follows the storage', async () => {
  const storage = page.createSecureStorage();
  await storage.setItem('k', '1');
  const mirror = await page.createSyncStorage();
  expect(mirror.getItem('k')).toBe('1');
  await storage.setItem('k', '2');
  await until(() => expect(mirror.getItem('k')).toBe('2'));
  mirror.clear();
  await mirror.flush();
  expect(await storage.getItem('k')).toBeNull();
  mirror.dispose();
});
