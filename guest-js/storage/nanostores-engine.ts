// What setPersistentEngine of @nanostores/persistent takes: a storage whose keys are properties, and its events.

import type { StorageChange, SyncStorage } from './sync-storage.js';

type Listener = (event: { key: string; newValue: string }) => void;

interface Events {
  addEventListener(key: string, listener: Listener): void;
  removeEventListener(key: string, listener: Listener): void;
}

/** Makes the two arguments of `setPersistentEngine`. Stores made before that call do not use it. */
export function nanostoresEngine(storage: SyncStorage): [Record<string, string>, Events] {
  const ends = new Map<Listener, () => void>();
  const get = (key: string | symbol) =>
    typeof key === 'string' ? (storage.getItem(key) ?? undefined) : undefined;
  const properties = new Proxy<Record<string, string>>(Object.create(null), {
    get: (_, key) => get(key),
    has: (_, key) => get(key) !== undefined,
    set(_, key, value) {
      storage.setItem(key as string, value);
      return true;
    },
    deleteProperty(_, key) {
      storage.removeItem(key as string);
      return true;
    },
    ownKeys: () => storage.getKeys(),
    getOwnPropertyDescriptor(_, key) {
      const value = get(key);
      return value === undefined ? value : { value, writable: true, enumerable: true, configurable: true };
    },
  });
  return [
    properties,
    {
      addEventListener(_, listener) {
        // Null after a removal, as in a StorageEvent, whatever the types of that package say.
        const hear = ({ key, value }: StorageChange) => listener({ key, newValue: value as string });
        ends.get(listener)?.();
        ends.set(listener, storage.listen(hear));
      },
      removeEventListener(_, listener) {
        ends.get(listener)?.();
        ends.delete(listener);
      },
    },
  ];
}
