// The values of one namespace, by key. Changes that touch the same account are carried out in the order of the calls.

import { ACCOUNT, check, RECORD } from '../ipc/check.js';
import { accountOf, keyOf, prefixOf, tokenOf, valueIn } from './storage-form.js';
import { openVault } from './storage-vault.js';

/** Every method throws for a bad key or value at once, and rejects when the store fails. */
export interface StorageArea {
  get(key: string): Promise<{ value: string; revision: number } | null>;
  /** Checks the change, and returns what carries it out and answers the revision. */
  set(key: string, value: string): () => Promise<number>;
  /** As {@link set}. */
  remove(key: string): () => Promise<number>;
  /** Removes the keys that begin with `base`; all that can be, also if one fails. */
  clear(base: string): Promise<void>;
  keys(): Promise<string[]>;
  /** Hears the changes of all windows, this one included. */
  watch(listener: (key: string, revision: number, present: boolean) => void): Promise<() => void>;
}

/** The changes under way, each with what the accounts that it touches begin with. Calls of the IPC may overtake each other. */
const changes = new Map<Promise<unknown>, string>();

/** Does `work` after the changes that were begun before and touch accounts that begin with `start`. */
function afterChanges<T>(start: string, work: () => Promise<T>): Promise<T> {
  const earlier = [...changes].filter(([, other]) => other.startsWith(start) || start.startsWith(other));
  return Promise.allSettled(earlier.map(([change]) => change)).then(work);
}

function inOrder<T>(start: string, work: () => Promise<T>): Promise<T> {
  const change = afterChanges(start, work);
  const forget = () => changes.delete(change);
  changes.set(change, start);
  change.then(forget, forget);
  return change;
}

/**
 * Opens the area of a namespace. Two of one name are the same area.
 *
 * @throws {@link SecureTokenError} `invalid-argument`.
 */
export function openArea(namespace = 'default'): StorageArea {
  const prefix = prefixOf(namespace);
  const vault = openVault();

  async function list(base: string): Promise<string[]> {
    const keys = (await vault.listAccounts()).map((account) => keyOf(prefix, account));
    return keys.filter((key) => key?.startsWith(base)) as string[];
  }

  const target = (key: string) => check({ account: accountOf(prefix, key) }, ACCOUNT);
  const clear = async (args: { account: string }) => (await vault.clearToken(args)).revision;

  return {
    get(key) {
      const args = target(key);
      return afterChanges(args.account, async () => {
        const stored = await vault.getToken(args);
        return stored && { value: valueIn(stored.token), revision: stored.revision };
      });
    },
    set(key, value) {
      const args = check({ account: accountOf(prefix, key), token: tokenOf(value) }, RECORD);
      return () => inOrder(args.account, async () => (await vault.setToken(args)).revision);
    },
    remove(key) {
      const args = target(key);
      return () => inOrder(args.account, () => clear(args));
    },
    clear: (base) =>
      inOrder(prefix, async () => {
        const removals = (await list(base)).map((key) => clear(target(key)));
        // Waits for all of them, and then rejects if one has failed.
        await Promise.allSettled(removals);
        await Promise.all(removals);
      }),
    keys: () => afterChanges(prefix, () => list('')),
    watch: (listener) =>
      vault.watchTokens(({ account, revision, present }) => {
        const key = keyOf(prefix, account);
        if (key !== undefined) listener(key, revision, present);
      }),
  };
}
