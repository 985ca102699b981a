// The storage as a driver of unstorage, with the real unstorage.

import { createStorage } from 'unstorage';
import { beforeEach, expect, it, vi } from 'vitest';
import type { SecureStorage } from '../../storage/storage.js';
import { FakeVault, rejection } from '../support/fake-vault.js';
import { account, freshStorage, kept } from './page.js';

let driver: SecureStorage;
let vault: FakeVault;

beforeEach(async () => {
  vault = new FakeVault();
  driver = (await freshStorage()).createSecureStorage();
});

it('stores values of any kind, lists by base, and clears', async () => {
  const storage = createStorage({ driver });
  await storage.setItem('auth:user', { name: 'ada' });
  await storage.setItem('auth:token', 'abc');
  await storage.setItem('theme', '');
  expect(await storage.getItem('auth:user')).toEqual({ name: 'ada' });
  expect(await storage.getItem('theme')).toBe('');
  expect(await storage.getItem('none')).toBeNull();
  expect(await storage.hasItem('auth:token')).toBe(true);
  expect(await storage.getKeys('auth')).toEqual(['auth:user', 'auth:token']);
  await storage.removeItem('auth:token');
  expect(await storage.getKeys()).toEqual(['auth:user', 'theme']);
  await storage.clear();
  expect(vault.records.size).toBe(0);
});

it('beside other drivers, under a mount point', async () => {
  const storage = createStorage();
  storage.mount('secure', driver);
  await storage.setItem('plain', '1');
  await storage.setItem('secure:token', 'abc');
  expect(kept(vault, 'token')).toBe('abc');
  await storage.clear('secure');
  expect([vault.records.size, await storage.getKeys()]).toEqual([0, ['plain']]);
});

it('watch hears this window and others once each, until unwatch', async () => {
  const storage = createStorage({ driver });
  const seen = vi.fn();
  const unwatch = await storage.watch(seen);
  await storage.setItem('k', 'v');
  vault.change({ token: '=w' }, account('k'));
  vault.change(undefined, account('k'));
  expect(seen.mock.calls).toEqual([
    ['update', 'k'],
    ['update', 'k'],
    ['remove', 'k'],
  ]);
  await unwatch();
  await storage.setItem('k', 'v');
  expect(seen).toHaveBeenCalledTimes(3);
});

it('P1 a locked store rejects', async () => {
  const storage = createStorage({ driver });
  vault.fail('get_token', rejection('locked'));
  await expect(storage.getItem('k')).rejects.toMatchObject({ name: 'SecureTokenError', code: 'locked' });
  vault.fail('list_accounts', rejection('locked'));
  await expect(storage.getKeys()).rejects.toMatchObject({ code: 'locked' });
});
