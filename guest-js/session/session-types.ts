// What a session takes, shows and can do: the types of session.ts.

import type { TokenRecord } from '../ipc/commands.js';
import type { SecureTokenError } from '../ipc/errors.js';

/** What a server answers to a login or a refresh. */
export interface Tokens {
  /** Goes into a header, so only visible ASCII may be in it, with blanks and tabs between (RFC 9110 section 5.5). */
  token: string;
  /** Absent after a refresh: the one before stays in use (RFC 6749 section 6). */
  refreshToken?: string | undefined;
  /** Lifetime in seconds from now (RFC 6749 section 5.1). Preferred, since it does not depend on the clock being right. 0 and less, and what is beyond the numbers of JavaScript, say nothing. */
  expiresIn?: number | undefined;
  /** The end of the lifetime in milliseconds since the Unix epoch. Ignored when it has passed already: a token that just arrived is not called expired because of a wrong clock. */
  expiresAt?: number | undefined;
}

/**
 * Why a session has ended:
 *
 * - `logout`: {@link Session.logout} was called in this window.
 * - `refused`: the server refused the refresh for good, see {@link SessionOptions.refresh}.
 * - `elsewhere`: the account was emptied by another window, for either reason, or by Rust.
 */
export type SignedOutReason = 'logout' | 'refused' | 'elsewhere';

/** What `createSession` takes. */
export interface SessionOptions {
  /** Names the token of this session. Default: `"default"`. */
  account?: string | undefined;
  /**
   * Buys the next token. Called once for all that wait, with a copy of the record in memory.
   *
   * Reject with an object whose `status`, or that of its `response`, is 401 or 403, whose `error` is `invalid_grant` (RFC
   * 6749 section 5.2), or with {@link SessionEnded}, to end the session. Any other rejection (no network, 429, 5xx) leaves
   * it as it is.
   *
   * After such a failure {@link Session.refresh} rests: for as long as the server asks for (`Retry-After`, RFC 9110 section
   * 10.2.3; up to an hour), and on top for a random time of up to 2, 4, 8 and so on to 120 seconds, or up to as long again
   * as the server asked for. The rejected object hands that over as `retryAfter` (seconds, or the text of the header), or
   * with the `headers` of the response, its own or those of its `response`. So a `Response` may be thrown as it is.
   *
   * A lifetime that breaks the rules of {@link Tokens} is left out, and reported to {@link SessionOptions.onError}: the token
   * before may be used up, so the new one is kept.
   *
   * @param signal Aborted by login, logout and dispose.
   */
  refresh?: ((current: TokenRecord, signal: AbortSignal) => Promise<Tokens>) | undefined;
  /** Tells the server that the record is no longer in use (RFC 7009). Called last, when memory and store are empty. */
  revoke?: ((record: TokenRecord) => Promise<void>) | undefined;
  /**
   * Hears once of each end of a session that the snapshot called `signedIn`, after the listeners. A login over a login is
   * no end, nor is {@link Session.dispose}.
   */
  onSignedOut?: ((reason: SignedOutReason) => void) | undefined;
  /**
   * Hears every failure that no returned promise rejects with: of the store, the watch and `revoke`, whose rejection is
   * handed on as it is.
   */
  onError?: ((error: Error) => void) | undefined;
}

/**
 * - `hydrating`: the store has not answered yet.
 * - `signedOut`: there is no token.
 * - `signedIn`: a token is in memory.
 * - `unavailable`: the store could not be read, so nobody knows; see {@link Session.hydrate}.
 */
export type Status = 'hydrating' | 'signedOut' | 'signedIn' | 'unavailable';

/** What may be shown: frozen, and the same object until something changes. No token in it. */
export interface Snapshot {
  readonly status: Status;
  /** When the token expires, in milliseconds since the Unix epoch, if known. */
  readonly expiresAt?: number | undefined;
  /** Whether the store is known to hold what memory holds: the token, or nothing. */
  readonly persisted: boolean;
  /** Why the store does not, or could not be read. */
  readonly error?: SecureTokenError | undefined;
}

/** The token of one account, in memory and in the key store. Its methods work detached from the object. */
export interface Session {
  /** What may be shown now. */
  getSnapshot(): Snapshot;
  /** Calls `fn` after each change. Returns the function that ends it. */
  listen(fn: (snapshot: Snapshot) => void): () => void;
  /** Calls `fn` now and after each change. Returns the function that ends it. */
  subscribe(fn: (snapshot: Snapshot) => void): () => void;
  /** Settles when the status is not `hydrating`. Never rejects. */
  ready(): Promise<Snapshot>;
  /** Brings memory and store together again: call it when the store was unlocked or the window gets the focus. Never rejects. */
  hydrate(): Promise<Snapshot>;
  /** The token in memory, also when its time is over. */
  getToken(): string | undefined;
  /**
   * The token for a request that goes out now: waits for {@link ready}, and refreshes a token whose time is over. If that
   * fails it is the old one, since the clock may be wrong and the server decides. Never rejects.
   *
   * A token that arrived less than 10 seconds ago is not over, whatever the clock says: a wrong one must not cost a
   * refresh for each request.
   */
  freshToken(): Promise<string | undefined>;
  /**
   * Takes the tokens into memory at once, then stores them. Resolves when the store has answered; if it failed, the
   * snapshot says `persisted: false` with the error, and the write is tried again.
   *
   * @throws {@link SecureTokenError} `invalid-argument` or `too-large` for tokens that break the rules of {@link Tokens}, with
   * a message that says what to pass instead; nothing changes then.
   */
  login(tokens: Tokens): Promise<Snapshot>;
  /**
   * Empties memory at once, then the store, then calls {@link SessionOptions.revoke}. Resolves when the store has
   * answered, without waiting for the network. Never rejects: a failed clear is in the snapshot and is tried again.
   */
  logout(): Promise<Snapshot>;
  /**
   * Returns the token to use instead of `rejected`, or `undefined` when there is none.
   *
   * One refresh runs for all callers. A `rejected` token that was replaced already costs no refresh; one of an earlier
   * login gives `undefined`, so that no request is repeated as somebody else. While refreshing rests after a failure (see
   * {@link SessionOptions.refresh}) the answer is that failure.
   *
   * Without `rejected` the server is asked also while refreshing rests: for a person who presses a button.
   *
   * @throws What {@link SessionOptions.refresh} rejected with, unless that ended the session.
   */
  refresh(rejected?: string): Promise<string | undefined>;
  /** Until when refreshing rests after a failure, in milliseconds since the Unix epoch. `undefined`: it did not fail. */
  retryAt(): number | undefined;
  /** Ends timers, watch and whatever is under way. A login or logout that was called before still reaches the store. */
  dispose(): void;
}
