// Compiled, never run: the storages are what each library asks for, under strict and without a cast.

import type { KeyValueStorageInterface } from '@aws-amplify/core';
import { setPersistentEngine } from '@nanostores/persistent';
import { createClient, type SupportedStorage } from '@supabase/supabase-js';
import { createAsyncStoragePersister } from '@tanstack/query-async-storage-persister';
import {
  experimental_createQueryPersister as createQueryPersister,
  type AsyncStorage as QueryStorage,
} from '@tanstack/query-persist-client-core';
import { createJSONStorage as createJotaiStorage } from 'jotai/vanilla/utils';
import { type AsyncStorage as OidcStorage, WebStorageStateStore } from 'oidc-client-ts';
import type { PersistenceOptions } from 'pinia-plugin-persistedstate';
import { persistReducer, type WebStorage } from 'redux-persist';
import { createStorage, type Driver } from 'unstorage';
import { createJSONStorage as createZustandStorage, type StateStorage } from 'zustand/middleware';
import { nanostoresEngine, type SecureStorage, type SyncStorage } from '../../storage/storage.js';

export function asynchronous(storage: SecureStorage) {
  const interfaces = [
    storage satisfies SupportedStorage,
    storage satisfies OidcStorage,
    storage satisfies StateStorage,
    storage satisfies StateStorage<Promise<void>>,
    storage satisfies WebStorage,
    storage satisfies QueryStorage<string>,
    storage satisfies Driver,
    storage satisfies KeyValueStorageInterface,
  ];
  const uses = [
    createClient('http://localhost', 'key', { auth: { storage } }),
    new WebStorageStateStore({ store: storage }),
    createZustandStorage<object>(() => storage),
    persistReducer({ key: 'root', storage, timeout: 0 }, () => ({})),
    createAsyncStoragePersister({ storage }),
    createQueryPersister({ storage }),
    createStorage({ driver: storage }),
    createJotaiStorage<object>(() => storage),
  ];
  return { interfaces, uses };
}

export function synchronous(storage: SyncStorage, asyncStorage: SecureStorage) {
  setPersistentEngine(...nanostoresEngine(storage));
  const pinia: PersistenceOptions = { storage };
  // @ts-expect-error That plugin reads synchronously.
  const wrong: PersistenceOptions = { storage: asyncStorage };
  return { pinia, wrong, zustand: storage satisfies StateStorage<void>, unstorage: storage satisfies Driver };
}
