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
 * - `logout`: {@link Session.logout} was called, in this window, in another one, or in Rust.
 * - `refused`: the server refused the refresh for good, see {@link SessionOptions.refresh}.
 * - `interrupted`: it refused it for good, and the app had been closed during an earlier refresh: the server may have
 *   replaced the refresh token then, and the app never got the new one.
 * - `elsewhere`: the account was emptied by {@link clearToken}, or by another process of the app.
 */
export type SignedOutReason = 'logout' | 'refused' | 'interrupted' | 'elsewhere';

/**
 * See {@link SessionOptions.isRefused}.
 *
 * @param usual The usual rule, for all that the app's own does not know.
 */
export type IsRefused = (
  cause: unknown,
  usual: (cause: unknown) => Promise<boolean>,
) => boolean | Promise<boolean>;

/** What {@link SessionOptions.refresh} is given beside the record. */
export interface RefreshTools {
  /** Aborts when nobody needs the tokens any more: after a login, a logout, or the deadline. */
  signal: AbortSignal;
  /**
   * The `fetch` of the page, with `signal`. Use this or another fetch without a token: a request of `createAuthFetch` would
   * wait for the refresh that it is part of.
   */
  fetch: typeof fetch;
}

/** What `createSession` takes. */
export interface SessionOptions {
  /** Names the token of this session. Default: `"default"`. */
  account?: string | undefined;
  /**
   * Buys the next token. Called once for all that wait in all windows, with a copy of the record. If several windows have
   * one, one of them carries it out.
   *
   * Reject with what the server said, as it is or as your HTTP client has it: {@link SessionOptions.isRefused} decides whether
   * that ends the session. {@link SessionEnded} always does. Any other rejection (no network, 429, 5xx) leaves it as it is.
   *
   * After such a failure {@link Session.refresh} rests: for as long as the server asks for (`Retry-After`, RFC 9110 section
   * 10.2.3; up to an hour), and on top for a random time of up to 2, 4, 8 and so on to 120 seconds, or up to as long again
   * as the server asked for. The rejected object hands that over as `retryAfter` (seconds, or the text of the header), or
   * with the `headers` of the response, its own or those of its `response`. So a `Response` may be thrown as it is.
   *
   * A lifetime that breaks the rules of {@link Tokens} is left out, and reported to {@link SessionOptions.onError}: the token
   * before may be used up, so the new one is kept.
   *
   * It has to settle within {@link SessionOptions.refreshDeadline}.
   */
  refresh?: ((current: TokenRecord, tools: RefreshTools) => Promise<Tokens>) | undefined;
  /**
   * Decides whether what `refresh` rejected with means that the server has refused the refresh token for good. The usual rule
   * is that it has
   *
   * - with the error `invalid_grant` (RFC 6749 section 5.2), whatever the status, and with the codes by which Supabase, Firebase
   *   and GitHub say the same;
   * - with the status 401 or 403, unless the body has another error of OAuth, such as `invalid_client`, or is HTML: the page
   *   of a firewall says nothing about the token.
   *
   * It finds them in a `Response` that is thrown as it is, in the errors of axios, ky, ofetch, openapi-fetch and Angular, in a
   * parsed body that is thrown, and in an error that has any of these as its `response` or `cause`.
   *
   * If yours throws, or takes longer than 4 seconds, the session stays and {@link SessionOptions.onError} is told.
   */
  isRefused?: IsRefused | undefined;
  /** How long `refresh` may take, in milliseconds: more than 0, at most 55,000. Default: 30,000. */
  refreshDeadline?: number | undefined;
  /**
   * Tells the server that the record is no longer in use (RFC 7009). Called for each login that a logout or another login has
   * ended, in one of the windows that have it, and after the logout of this window is done.
   */
  revoke?: ((record: TokenRecord) => Promise<void>) | undefined;
  /**
   * Hears once of each end of a session that the snapshot called `signedIn`, after the listeners. A login over a login is
   * no end, nor is {@link Session.dispose}.
   */
  onSignedOut?: ((reason: SignedOutReason) => void) | undefined;
  /**
   * Hears every failure that no returned promise rejects with: of the store, of the calls of this page, and of `revoke`, whose
   * rejection is handed on as it is.
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
  /**
   * Another, larger number after each login and logout, in whatever window. The refreshes of one login keep it. Compare it
   * within one page only.
   */
  readonly login: number;
  /** When the token expires, in milliseconds since the Unix epoch, if known. */
  readonly expiresAt?: number | undefined;
  /** Whether there is a refresh token, and a `refresh` in an open window or in Rust. */
  readonly canRefresh: boolean;
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
  /** The token in memory, also an expired one. */
  getToken(): string | undefined;
  /**
   * The token for a request that goes out now: waits for {@link ready}, and refreshes an expired token. If that fails it is
   * the old one, since the clock may be wrong and the server decides. `undefined`: nobody is signed in, or somebody else
   * than when this was called.
   *
   * A token that arrived less than 10 seconds ago does not count as expired, whatever the clock says: a wrong one must not
   * cost a refresh for each request.
   *
   * @param options.minLife How long the token has to live, in milliseconds. Default: 0.
   * @throws {@link SecureTokenError} The error of the snapshot, while the status is `unavailable`.
   */
  freshToken(options?: { minLife?: number | undefined }): Promise<string | undefined>;
  /**
   * Takes the tokens into memory at once, in all windows, then stores them. Resolves when the store has answered; if it
   * failed, the snapshot says `persisted: false` with the error, and the write is tried again.
   *
   * @param options.remember `false`: the session ends with the app, and nothing is stored. Default: `true`.
   * @throws {@link SecureTokenError} `invalid-argument` or `too-large` for tokens that break the rules of {@link Tokens}, with
   * a message that says what to pass instead; `forbidden` if this window may not sign in; `invalid-argument` once disposed.
   * Nothing changes then.
   */
  login(tokens: Tokens, options?: { remember?: boolean | undefined }): Promise<Snapshot>;
  /**
   * Empties memory at once, in all windows, then the store, then calls {@link SessionOptions.revoke}. Resolves when the store
   * has answered, without waiting for the network. Never rejects: a failed clear is in the snapshot and is tried again.
   */
  logout(): Promise<Snapshot>;
  /**
   * Returns the token to use instead of `rejected`, or `undefined` when there is none.
   *
   * One refresh runs for all callers in all windows. A `rejected` token that was replaced already costs no refresh; one of an
   * earlier login gives `undefined`, so that no request is repeated as somebody else, and so does one that nobody can
   * refresh. While refreshing rests after a failure (see {@link SessionOptions.refresh}) it rejects with that failure.
   *
   * A token that was refused within 10 seconds of its arrival costs one refresh. If the next one is refused too, the server
   * refuses for another reason, and for a minute this gives `undefined`.
   *
   * Without `rejected` the server is asked also while refreshing rests: for a person who presses a button.
   *
   * @param options.accepted The server took `rejected` before it refused it, so a new one may help.
   * @throws What {@link SessionOptions.refresh} rejected with, unless that ended the session; {@link SecureTokenError} if
   * another window or Rust carried it out; the error of the snapshot, while the status is `unavailable`.
   */
  refresh(rejected?: string, options?: { accepted?: boolean | undefined }): Promise<string | undefined>;
  /** Until when refreshing rests after a failure, in milliseconds since the Unix epoch. `undefined`: it did not fail. */
  retryAt(): number | undefined;
  /**
   * Ends listeners and the refresh that this session carries out. The login stays, and a login or logout that was called
   * before still reaches the store. Afterwards there is no token here, and `login` rejects.
   */
  dispose(): void;
}
