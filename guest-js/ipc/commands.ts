// The six commands of the plugin, as typed functions.

import { Channel } from '@tauri-apps/api/core';
import { addListener, emit } from '../shared/emit.js';
import { ACCOUNT, CHANGE, check, RECORD } from './check.js';
import { toError } from './errors.js';
import { invoke } from './invoke.js';

/** What one account stores. */
export interface TokenRecord {
  /** The secret. 1 byte to 1 MiB of UTF-8, without NUL. */
  token: string;
  /** The secret that buys the next token (RFC 6749 section 1.5). Same limits. */
  refreshToken?: string | undefined;
  /** When the token expires: whole milliseconds since the Unix epoch, UTC. */
  expiresAt?: number | undefined;
}

/** A record as the store holds it. */
export interface StoredToken extends TokenRecord {
  /** Counts the changes of this account while the app runs. A write may demand it, see `ifRevision`. */
  revision: number;
}

/** Says that an account changed, in this window or in another. Never carries a token: read it with {@link getToken}. */
export interface TokenNotice {
  account: string;
  revision: number;
  /** `false` if the account was cleared. `true` after a write that may have happened, such as one that timed out: read it. */
  present: boolean;
}

/** Where records rest, and how well. */
export interface StoreInfo {
  /** For people, such as `macOS Keychain`. */
  store: string;
  /** Whether a record outlives the app. */
  persistent: boolean;
  /** Whether a write is on the disk once it is acknowledged. */
  durable: boolean;
  /** Whether hardware guards the key. */
  hardware: boolean;
  state: 'available' | 'locked' | 'unavailable';
  /** More about the state, for people; may be empty. */
  detail: string;
}

/**
 * Stores the record of an account and replaces the one before, whole.
 *
 * Once this resolves, a later start of the app reads it (see {@link StoreInfo.durable}). A failed write changes nothing;
 * only after `timeout`, `unavailable` and `internal` it may have happened, and the account has a new revision.
 *
 * @param args.account Names one token of this app, 1 to 512 bytes without control characters. Default: `"default"`.
 * @param args.ifRevision Write only if the account is still at this revision, else reject with `conflict`.
 * @throws {@link SecureTokenError} with any code. `invalid-argument` and `too-large` name the field.
 */
export async function setToken(
  args: TokenRecord & { account?: string | undefined; ifRevision?: number | undefined },
): Promise<{ revision: number }> {
  return invoke('set_token', check(args, RECORD));
}

/**
 * Reads the record of an account.
 *
 * `null` means that there is none. A store that cannot answer rejects instead, so `null` is safe to treat as signed out.
 * A read never deletes or overwrites anything.
 *
 * @throws {@link SecureTokenError}, for instance `locked`, `lost` or `forbidden`.
 */
export async function getToken(args: { account?: string | undefined } = {}): Promise<StoredToken | null> {
  return invoke('get_token', check(args, ACCOUNT));
}

/**
 * Removes the record of an account. Succeeds when there is none.
 *
 * @param args.ifRevision Clear only if the account is still at this revision, else reject with `conflict`.
 * @throws {@link SecureTokenError} with any code. After `timeout`, `unavailable` and `internal` the record may be gone.
 */
export async function clearToken(
  args: { account?: string | undefined; ifRevision?: number | undefined } = {},
): Promise<{ revision: number }> {
  return invoke('clear_token', check(args, CHANGE));
}

/**
 * Lists the accounts that hold a record: names only.
 *
 * @throws {@link SecureTokenError}
 */
export async function listAccounts(): Promise<string[]> {
  return invoke('list_accounts');
}

const listeners = new Set<(notice: TokenNotice) => void>();
let watching: Promise<unknown> | undefined;

/**
 * Calls `listener` after each change of an account that this window may see, also for changes made by this window.
 *
 * A page has one native channel, shared by all listeners. It ends with the page.
 *
 * @returns A function that ends this listener.
 * @throws {@link SecureTokenError}; the next call tries again.
 */
export async function watchTokens(listener: (notice: TokenNotice) => void): Promise<() => void> {
  const end = addListener(listeners, listener);
  try {
    watching ??= invoke('watch_tokens', {
      channel: new Channel<TokenNotice>((notice) => emit(listeners, notice)),
    });
    await watching;
  } catch (cause) {
    watching = undefined;
    end();
    // Also what the channel throws outside Tauri.
    throw await toError(cause, 'watch_tokens');
  }
  return end;
}

/**
 * Tells where records rest and whether that place can be used now.
 *
 * @throws {@link SecureTokenError}; a locked or missing store is an answer, not an error.
 */
export async function storeInfo(): Promise<StoreInfo> {
  return invoke('store_info');
}
