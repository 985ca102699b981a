// A copy of a storage in memory, for libraries that read synchronously: filled once, written behind, kept in step.

import type { SecureTokenError } from '../ipc/errors.js';
import { createAlarm } from '../shared/alarm.js';
import { call, emit } from '../shared/emit.js';
import type { SecureStorageOptions } from './storage.js';
import { openArea } from './storage-area.js';

/** How a mirror is opened. */
export interface SyncStorageOptions extends SecureStorageOptions {
  /**
   * Hears every failure to write a change, or to read one that another window made. Those that are retryable are tried
   * again by themselves. Without it they are uncaught errors of the page.
   */
  onError?: ((error: SecureTokenError) => void) | undefined;
}

/** A change that came from elsewhere. */
export interface StorageChange {
  key: string;
  /** `null` when the key was removed. */
  value: string | null;
}

/**
 * Every method works detached from the object. Reads are answered from memory; changes are in memory at once and
 * reach the store in the background, those of one key in their order, the ones that were overtaken left out.
 */
export interface SyncStorage {
  /** `null` means that there is no such key. */
  getItem(key: string): string | null;
  /**
   * @throws `SecureTokenError` `invalid-argument` for a key or value that is no text, or a key whose account would
   * be over 512 bytes of UTF-8; `too-large` for a value over 1 MiB. Nothing changes then.
   */
  setItem(key: string, value: string): void;
  /** @throws `SecureTokenError` `invalid-argument`. */
  removeItem(key: string): void;
  /** Removes all keys, or those that begin with `base`. */
  clear(base?: string): void;
  /** Whether there is such a key. */
  hasItem(key: string): boolean;
  /** The keys of this namespace, in no particular order. */
  getKeys(): string[];
  /** The key at `index` of {@link getKeys}, or `null`. */
  key(index: number): string | null;
  /** How many keys there are. */
  readonly length: number;
  /** Calls `fn` after each change that another window made. Returns the function that ends it. */
  listen(fn: (change: StorageChange) => void): () => void;
  /**
   * Tries at once whatever is not stored yet, and resolves when all is. Call it before the window closes.
   *
   * @throws `SecureTokenError` The first error that stands. What failed stays in memory and is tried again.
   */
  flush(): Promise<void>;
  /** Ends retries, watch and listeners. Changes that were made before still reach the store. */
  dispose(): void;
}

/** What is known of one key. */
interface Entry {
  /** What memory holds. */
  value: string | null;
  /** Carries out the change that the store does not have yet. */
  save: (() => Promise<number>) | undefined;
  /** The revision that memory has seen. */
  seen: number;
  /** The newest revision that is told of. */
  told: number;
  /** Why the last try failed. */
  error: SecureTokenError | undefined;
  failures: number;
  retryAt: (at?: number) => void;
  /** Set while memory and store are brought together. */
  running: Promise<void> | undefined;
}

const isBehind = ({ save, seen, told }: Entry) => !!save || told > seen;

function throwError(error: SecureTokenError): void {
  throw error;
}

/**
 * Reads all of a namespace into memory and resolves with the storage that mirrors it.
 *
 * Outside Tauri it is in memory only, with one warning.
 *
 * @throws `SecureTokenError` when anything could not be read, so that an empty copy never stands for a full store.
 */
export async function createSyncStorage(options: SyncStorageOptions = {}): Promise<SyncStorage> {
  const { namespace, onError = throwError } = options;
  const area = openArea(namespace);
  const entries = new Map<string, Entry>();
  const listeners = new Set<(change: StorageChange) => void>();
  let hydrated = false;
  let disposed = false;

  function entryOf(key: string): Entry {
    let entry = entries.get(key);
    if (!entry) {
      const retryAt = createAlarm(() => void start(key, entry as Entry));
      entry = {
        value: null,
        save: undefined,
        seen: 0,
        told: 0,
        error: undefined,
        failures: 0,
        retryAt,
        running: undefined,
      };
      entries.set(key, entry);
    }
    return entry;
  }

  function fail(entry: Entry, error: SecureTokenError) {
    entry.error = error;
    if (!hydrated) return;
    call(onError, error);
    if (error.retryable && !disposed)
      entry.retryAt(Date.now() + Math.min(500 * 2 ** entry.failures++, 30_000) * (1 + Math.random()));
  }

  async function pull(key: string, entry: Entry) {
    const { told } = entry;
    const stored = await area.get(key);
    // A change made here meanwhile wins.
    if (entry.save) return;
    entry.seen = Math.max(told, stored?.revision ?? 0);
    const value = stored?.value ?? null;
    if (value === entry.value) return;
    entry.value = value;
    emit(listeners, { key, value });
  }

  /** One at a time for a key, so that an older change cannot land after a newer one. */
  async function catchUp(key: string, entry: Entry) {
    while (isBehind(entry)) {
      const { save } = entry;
      entry.save = undefined;
      try {
        if (save) entry.seen = await save();
        else await pull(key, entry);
        entry.error = undefined;
        entry.failures = 0;
      } catch (error) {
        // A newer change is tried in its place.
        if (entry.save) continue;
        entry.save = save;
        fail(entry, error as SecureTokenError);
        break;
      }
    }
    entry.running = undefined;
  }

  function start(key: string, entry: Entry): Promise<void> | undefined {
    if (isBehind(entry)) entry.running ??= catchUp(key, entry);
    return entry.running;
  }

  const startAll = () => Promise.all([...entries].map(([key, entry]) => start(key, entry)));
  const firstError = () => [...entries.values()].find((entry) => entry.error)?.error;

  function change(key: string, value: string | null, save: () => Promise<number>) {
    const entry = entryOf(key);
    entry.value = value;
    entry.save = save;
    void start(key, entry);
  }

  const removeItem = (key: string) => change(key, null, area.remove(key));
  const getKeys = () => [...entries].filter(([, { value }]) => value !== null).map(([key]) => key);
  const getItem = (key: string) => entries.get(key)?.value ?? null;

  // The watch comes first: a change between the read and the watch would go unseen.
  const end = await area.watch((key, revision) => {
    const entry = entryOf(key);
    entry.told = Math.max(entry.told, revision);
    void start(key, entry);
  });

  function dispose() {
    disposed = true;
    end();
    listeners.clear();
    for (const { retryAt } of entries.values()) retryAt();
  }

  try {
    for (const key of await area.keys()) entryOf(key).seen = -1;
    await startAll();
    const error = firstError();
    if (error) throw error;
  } catch (error) {
    dispose();
    throw error;
  }
  hydrated = true;

  return {
    getItem,
    setItem(key, value) {
      const save = area.set(key, value);
      // Some libraries write what they have just read; that would undo what another window writes.
      if (getItem(key) !== value || isBehind(entryOf(key))) change(key, value, save);
    },
    removeItem,
    clear(base) {
      const begin = typeof base === 'string' ? base : '';
      for (const [key, entry] of entries)
        if ((entry.value !== null || isBehind(entry)) && key.startsWith(begin)) removeItem(key);
    },
    hasItem: (key) => getItem(key) !== null,
    getKeys,
    key: (index) => getKeys()[index] ?? null,
    get length() {
      return getKeys().length;
    },
    listen(fn) {
      const own = (change: StorageChange) => fn(change);
      listeners.add(own);
      return () => void listeners.delete(own);
    },
    async flush() {
      await startAll();
      const error = firstError();
      if (error) throw error;
    },
    dispose,
  };
}
