// zustand persist over both storages, with the real zustand.

import { beforeEach, expect, it, vi } from 'vitest';
import { createJSONStorage, type PersistOptions, persist, type StateStorage } from 'zustand/middleware';
import { createStore } from 'zustand/vanilla';
import { FakeVault, rejection } from '../support/fake-vault.js';
import { settle, until } from '../support/helpers.js';
import { freshStorage, kept, type StoragePage, stored } from './page.js';

interface State {
  user: string;
}

const text = (user: string) => JSON.stringify({ state: { user }, version: 0 });

let page: StoragePage;
let vault: FakeVault;

beforeEach(async () => {
  page = await freshStorage();
  vault = new FakeVault(stored({ app: text('ada') }));
});

const open = (storage: StateStorage, options?: Partial<PersistOptions<State>>) =>
  createStore<State>()(
    persist(() => ({ user: '' }), {
      name: 'app',
      storage: createJSONStorage<State>(() => storage),
      ...options,
    }),
  );

it('hydrates from a slow read, and stores what is set after it', async () => {
  const answer = vault.hold('get_token');
  const store = open(page.createSecureStorage());
  await settle();
  expect(store.persist.hasHydrated()).toBe(false);
  answer();
  await until(() => expect(store.persist.hasHydrated()).toBe(true));
  expect(store.getState().user).toBe('ada');
  store.setState({ user: 'bob' });
  await until(() => expect(kept(vault, 'app')).toBe(text('bob')));
});

it('hydrates from an empty store', async () => {
  vault.records.clear();
  const store = open(page.createSecureStorage());
  await until(() => expect(store.persist.hasHydrated()).toBe(true));
  expect(store.getState().user).toBe('');
});

it('P1 a rejected read leaves it unhydrated, says why, and rehydrate reads again', async () => {
  vault.fail('get_token', rejection('locked'));
  const rehydrated = vi.fn();
  const store = open(page.createSecureStorage(), { onRehydrateStorage: () => rehydrated });
  await until(() => expect(rehydrated).toHaveBeenCalledTimes(1));
  expect(rehydrated.mock.calls[0]?.[1]).toMatchObject({ name: 'SecureTokenError', code: 'locked' });
  expect(store.persist.hasHydrated()).toBe(false);
  expect(kept(vault, 'app')).toBe(text('ada'));
  await store.persist.rehydrate();
  expect(store.getState().user).toBe('ada');
});

it('a rejected write reaches the caller of an action that returns it', async () => {
  const store = open(page.createSecureStorage());
  await until(() => expect(store.persist.hasHydrated()).toBe(true));
  vault.fail('set_token', rejection('locked'));
  // The middleware returns what the storage did, though its type says void.
  const written: unknown = store.setState({ user: 'bob' });
  await expect(written).rejects.toMatchObject({ code: 'locked' });
  expect(kept(vault, 'app')).toBe(text('ada'));
});

it('a login during a slow hydration is not lost when the mirror was opened first', async () => {
  const answer = vault.hold('get_token');
  const opening = page.createSyncStorage();
  await settle();
  answer();
  const mirror = await opening;
  const store = open(mirror);
  // Hydrated when it is made: no moment is left in which a login could come too early.
  expect(store.persist.hasHydrated()).toBe(true);
  expect(store.getState().user).toBe('ada');
  store.setState({ user: 'bob' });
  await mirror.flush();
  expect(store.getState().user).toBe('bob');
  expect(kept(vault, 'app')).toBe(text('bob'));
  mirror.dispose();
});

it('P1 the mirror of a locked store never opens, so nothing overwrites the stored state', async () => {
  vault.fail('get_token', rejection('locked'));
  await expect(page.createSyncStorage()).rejects.toMatchObject({ code: 'locked' });
  expect(kept(vault, 'app')).toBe(text('ada'));
});

it('P3 clearStorage removes it for good', async () => {
  const storage = page.createSecureStorage();
  const store = open(storage);
  await until(() => expect(store.persist.hasHydrated()).toBe(true));
  const answer = vault.hold('set_token', 'before');
  store.setState({ user: 'bob' });
  store.persist.clearStorage();
  answer();
  await until(() => expect(vault.count('clear_token')).toBe(1));
  expect(await storage.getItem('app')).toBeNull();
});
