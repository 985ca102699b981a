// Where a storage keeps its accounts: behind the commands, or outside Tauri in the memory of the page.

import { ACCOUNT, check, RECORD } from '../ipc/check.js';
import {
  clearToken,
  getToken,
  listAccounts,
  type StoredToken,
  setToken,
  type TokenNotice,
  watchTokens,
} from '../ipc/commands.js';
import { inTauri } from '../ipc/errors.js';
import { addListener, emit } from '../shared/emit.js';

/** The commands that a storage needs. */
export interface StorageVault {
  setToken(args: { account: string; token: string }): Promise<{ revision: number }>;
  getToken(args: { account: string }): Promise<StoredToken | null>;
  clearToken(args: { account: string }): Promise<{ revision: number }>;
  listAccounts(): Promise<string[]>;
  watchTokens(listener: (notice: TokenNotice) => void): Promise<() => void>;
}

const records = new Map<string, StoredToken>();
const listeners = new Set<(notice: TokenNotice) => void>();
let revision = 0;

function change(account: string, token?: string) {
  revision++;
  if (token === undefined) records.delete(account);
  else records.set(account, { token, revision });
  emit(listeners, { account, revision, present: token !== undefined });
  return { revision };
}

/** One for the page, as the native one is. */
const memory: StorageVault = {
  setToken: async (args) => {
    const { account, token } = check(args, RECORD);
    return change(account, token);
  },
  getToken: async (args) => records.get(check(args, ACCOUNT).account) ?? null,
  clearToken: async (args) => change(check(args, ACCOUNT).account),
  listAccounts: async () => [...records.keys()],
  watchTokens: async (listener) => addListener(listeners, listener),
};

let warned = false;

/** The vault of this page. Outside Tauri it lasts as long as the page, and the first call warns. */
export function openVault(): StorageVault {
  if (inTauri()) return { setToken, getToken, clearToken, listAccounts, watchTokens };
  if (!warned) {
    warned = true;
    console.warn('secure-token: no Tauri here, the storage is in memory only');
  }
  return memory;
}
