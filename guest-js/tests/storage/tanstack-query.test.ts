// The persisters of TanStack Query over the storage, with the real query client.

import { createAsyncStoragePersister } from '@tanstack/query-async-storage-persister';
import { QueryClient } from '@tanstack/query-core';
import {
  experimental_createQueryPersister as createQueryPersister,
  persistQueryClientRestore,
  persistQueryClientSave,
} from '@tanstack/query-persist-client-core';
import { beforeEach, expect, it, vi } from 'vitest';
import type { SecureStorage } from '../../storage/storage.js';
import { FakeVault, rejection } from '../support/fake-vault.js';
import { until } from '../support/helpers.js';
import { freshStorage, kept } from './page.js';

const KEY = 'REACT_QUERY_OFFLINE_CACHE';

let storage: SecureStorage;
let vault: FakeVault;

beforeEach(async () => {
  vault = new FakeVault();
  storage = (await freshStorage()).createSecureStorage();
});

async function save(user: string) {
  const queryClient = new QueryClient();
  queryClient.setQueryData(['me'], user);
  await persistQueryClientSave({ queryClient, persister: createAsyncStoragePersister({ storage }) });
  await until(() => expect(kept(vault, KEY) ?? '').toContain(user));
  queryClient.clear();
}

async function restore() {
  const queryClient = new QueryClient();
  const persister = createAsyncStoragePersister({ storage });
  await persistQueryClientRestore({ queryClient, persister });
  return { queryClient, persister };
}

it('a cache is saved, restored by the next start, and removed', async () => {
  await save('ada');
  const { queryClient, persister } = await restore();
  expect(queryClient.getQueryData(['me'])).toBe('ada');
  await persister.removeClient();
  expect(vault.records.size).toBe(0);
  expect((await restore()).queryClient.getQueryData(['me'])).toBeUndefined();
});

it('P1 a locked store keeps the cache, when the key is read before the client restores it', async () => {
  await save('ada');
  vault.fail('get_token', rejection('locked'));
  const start = async () => {
    await storage.getItem(KEY);
    return restore();
  };
  await expect(start()).rejects.toMatchObject({ code: 'locked' });
  expect(vault.count('clear_token')).toBe(0);
  expect((await start()).queryClient.getQueryData(['me'])).toBe('ada');
});

it('the persister of single queries', async () => {
  const { persisterFn } = createQueryPersister({ storage });
  const load = vi.fn(async () => 'ada');
  const fetch = () => {
    const queryClient = new QueryClient({
      defaultOptions: { queries: { persister: persisterFn, gcTime: 0 } },
    });
    return queryClient.fetchQuery({ queryKey: ['me'], queryFn: load, staleTime: Number.POSITIVE_INFINITY });
  };
  expect(await fetch()).toBe('ada');
  await until(() => expect(kept(vault, 'tanstack-query-["me"]') ?? '').toContain('ada'));
  expect(await fetch()).toBe('ada');
  expect(load).toHaveBeenCalledTimes(1);
});
