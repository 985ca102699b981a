// pinia-plugin-persistedstate over the mirror, with the real Pinia.

import { createPinia, defineStore } from 'pinia';
import { createPersistedState } from 'pinia-plugin-persistedstate';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createApp, nextTick, ref } from 'vue';
import type { SyncStorage } from '../../storage/storage.js';
import { FakeVault, rejection } from '../support/fake-vault.js';
import { until } from '../support/helpers.js';
import { account, freshStorage, kept, type StoragePage, stored } from './page.js';

let page: StoragePage;
let vault: FakeVault;
let mirror: SyncStorage | undefined;

beforeEach(async () => {
  page = await freshStorage();
  vault = new FakeVault(stored({ profile: '{"name":"ada"}' }));
  mirror = undefined;
});

afterEach(() => mirror?.dispose());

async function open(onError?: (error: Error) => void) {
  mirror = await page.createSyncStorage(onError ? { onError } : {});
  const pinia = createPinia();
  createApp({}).use(pinia);
  pinia.use(createPersistedState({ storage: mirror }));
  const useProfile = defineStore('profile', () => ({ name: ref('') }), { persist: true });
  return { mirror, store: useProfile(pinia) };
}

it('a store is hydrated when it is made, and its changes are stored', async () => {
  const { mirror, store } = await open();
  expect(store.name).toBe('ada');
  store.name = 'bob';
  await nextTick();
  await mirror.flush();
  expect(kept(vault, 'profile')).toBe('{"name":"bob"}');
});

it('P1 a locked store gives no store, so its empty state overwrites nothing', async () => {
  vault.fail('get_token', rejection('locked'));
  await expect(open()).rejects.toMatchObject({ code: 'locked' });
  expect(kept(vault, 'profile')).toBe('{"name":"ada"}');
});

it('a failed write is reported, and stored once it can be', async () => {
  const onError = vi.fn();
  const { mirror, store } = await open(onError);
  vault.fail('set_token', rejection('locked'));
  store.name = 'bob';
  await until(() => expect(onError).toHaveBeenCalled());
  await mirror.flush();
  expect(kept(vault, 'profile')).toBe('{"name":"bob"}');
});

it('a change of another window is shown with $hydrate', async () => {
  const { mirror, store } = await open();
  mirror.listen(({ key }) => key === store.$id && store.$hydrate());
  vault.change({ token: '={"name":"eve"}' }, account('profile'));
  await until(() => expect(store.name).toBe('eve'));
});
