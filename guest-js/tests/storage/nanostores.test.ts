// @nanostores/persistent over the mirror, with the real nanostores.

import { persistentAtom, persistentMap, setPersistentEngine } from '@nanostores/persistent';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { SyncStorage } from '../../storage/storage.js';
import { FakeVault } from '../support/fake-vault.js';
import { until } from '../support/helpers.js';
import { account, freshStorage, kept, type StoragePage, stored } from './page.js';

let page: StoragePage;
let vault: FakeVault;
let mirror: SyncStorage;

beforeEach(async () => {
  page = await freshStorage();
  vault = new FakeVault(stored({ theme: 'dark', 'user:name': 'ada', 'user:role': 'admin' }));
  mirror = await page.createSyncStorage();
  setPersistentEngine(...page.nanostoresEngine(mirror));
});

afterEach(() => mirror.dispose());

it('an atom has what is stored, and stores what is set', async () => {
  const theme = persistentAtom<string | undefined>('theme', 'light');
  const other = persistentAtom('other', 'initial');
  expect([theme.get(), other.get()]).toEqual(['dark', 'initial']);
  theme.set('blue');
  await mirror.flush();
  expect(kept(vault, 'theme')).toBe('blue');
  theme.set(undefined);
  await mirror.flush();
  expect([kept(vault, 'theme'), kept(vault, 'other')]).toEqual([undefined, undefined]);
});

it('a map has all keys with its prefix', async () => {
  const user = persistentMap<Record<string, string | undefined>>('user:', {});
  const end = user.subscribe(() => {});
  expect(user.get()).toEqual({ name: 'ada', role: 'admin' });
  await mirror.flush();
  expect(vault.count('set_token')).toBe(0);
  user.setKey('name', 'bob');
  user.setKey('role', undefined);
  await mirror.flush();
  expect([kept(vault, 'user:name'), kept(vault, 'user:role')]).toEqual(['bob', undefined]);
  end();
});

it('changes of other windows reach atoms and maps while they are mounted', async () => {
  const theme = persistentAtom('theme', 'light');
  const user = persistentMap<Record<string, string>>('user:', {});
  const ends = [theme.subscribe(() => {}), user.subscribe(() => {})];
  vault.change({ token: '=red' }, account('theme'));
  vault.change({ token: '=eve' }, account('user:name'));
  await until(() => expect([theme.get(), user.get().name]).toEqual(['red', 'eve']));
  vault.change(undefined, account('theme'));
  vault.change(undefined, account('user:role'));
  await until(() => expect([theme.get(), user.get()]).toEqual(['light', { name: 'eve' }]));
  for (const end of ends) end();
});

it('a listener that is added twice hears once, and nothing once it is removed', async () => {
  const [, events] = page.nanostoresEngine(mirror);
  const listener = vi.fn();
  events.addEventListener('theme', listener);
  events.addEventListener('theme', listener);
  vault.change({ token: '=red' }, account('theme'));
  await until(() => expect(mirror.getItem('theme')).toBe('red'));
  expect(listener.mock.calls).toEqual([[{ key: 'theme', newValue: 'red' }]]);
  events.removeEventListener('theme', listener);
  vault.change({ token: '=green' }, account('theme'));
  await until(() => expect(mirror.getItem('theme')).toBe('green'));
  expect(listener).toHaveBeenCalledTimes(1);
});
