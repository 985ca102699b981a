// A key-value storage in the OS key store, for libraries that take one: the methods of Web Storage, but asynchronous.

import { openArea } from './storage-area.js';

export { nanostoresEngine } from './nanostores-engine.js';
export {
  createSyncStorage,
  type StorageChange,
  type SyncStorage,
  type SyncStorageOptions,
} from './sync-storage.js';

/** How a storage is opened. */
export interface SecureStorageOptions {
  /**
   * Keeps the keys apart from those of other storages. 1 to 64 of `A-Z a-z 0-9 . _ -`. Default: `"default"`.
   *
   * The key `k` of the namespace `n` is the account `storage/n/k`, so a permission may be narrowed to `storage/n/*`.
   */
  namespace?: string | undefined;
}

/**
 * Every method returns a promise, works detached from the object, and ignores further arguments. All reject with a
 * `SecureTokenError`: with `invalid-argument` for a key or value that is no text, or a key whose account would be
 * over 512 bytes of UTF-8; with `too-large` for a value over 1 MiB; and when the store cannot answer.
 *
 * Any other text is a key, and any text is a value, the empty one included. Calls for one key take effect in their order.
 */
export interface SecureStorage {
  /** `null` means that there is no such key. A store that cannot answer rejects. */
  getItem(key: string): Promise<string | null>;
  /** Resolves when the value is stored (see `storeInfo().durable`). A failed write changes nothing. */
  setItem(key: string, value: string): Promise<void>;
  /** Succeeds when there is no such key. */
  removeItem(key: string): Promise<void>;
  /** Removes the keys of this namespace, or those of them that begin with `base`. */
  clear(base?: string): Promise<void>;
  /** Whether there is such a key. */
  hasItem(key: string): Promise<boolean>;
  /** The keys of this namespace, in no particular order. */
  getKeys(): Promise<string[]>;
  /** The key at `index` of {@link getKeys}, or `null`. */
  key(index: number): Promise<string | null>;
  /** How many keys there are. */
  readonly length: Promise<number>;
  /** Calls `listener` after each change of a key, by this window or another. Resolves with the function that ends it. */
  watch(listener: (event: 'update' | 'remove', key: string) => void): Promise<() => void>;
}

/**
 * Opens a storage. Nothing is read before the first call.
 *
 * Outside Tauri it is in memory only, with one warning.
 *
 * @throws `SecureTokenError` `invalid-argument` for a bad namespace.
 */
export function createSecureStorage(options: SecureStorageOptions = {}): SecureStorage {
  const area = openArea(options.namespace);
  return {
    getItem: async (key) => (await area.get(key))?.value ?? null,
    async setItem(key, value) {
      await area.set(key, value)();
    },
    async removeItem(key) {
      await area.remove(key)();
    },
    clear: async (base) => area.clear(typeof base === 'string' ? base : ''),
    hasItem: async (key) => (await area.get(key)) !== null,
    getKeys: async () => area.keys(),
    key: async (index) => (await area.keys())[index] ?? null,
    get length() {
      return area.keys().then((keys) => keys.length);
    },
    watch: async (listener) => area.watch((key, _, present) => listener(present ? 'update' : 'remove', key)),
  };
}
