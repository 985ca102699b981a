// A session whose requests Rust sends: no token ever reaches the page.

import { SecureTokenError } from '../ipc/errors.js';
import { mediaUrl, signIn } from '../ipc/native-requests.js';
import { type SessionOptions, sessionOf } from '../session/session.js';
import type { Session } from '../session/session-types.js';
import { tokenlessViewOf } from '../session/tokenless-view.js';
import { orAbort, throwIfAborted } from './abort.js';
import type { AuthFetch, AuthFetchInit } from './fetch.js';
import { createNativeFetch } from './native/fetch.js';

export type { AuthFetch, AuthFetchInit };

/** What `createNativeSession` takes. */
export type NativeSessionOptions = Pick<SessionOptions, 'account' | 'onSignedOut' | 'onError'>;

/** What the server said to a login, without the tokens. */
export interface LoginResult {
  /** Whether somebody is signed in now. */
  readonly ok: boolean;
  /** The status of the response. */
  readonly status: number;
  /** The body of the response, of which Rust has cut out the tokens; `null` if it is not JSON. */
  readonly body: unknown;
}

/** How to log in. */
export interface LoginOptions {
  /** `false`: the session ends with the app, and nothing is stored. Default: `true`. */
  remember?: boolean | undefined;
  /**
   * Ends the waiting. Before the call nothing is sent; later Rust has the request, and the login may still come about: the
   * snapshot tells.
   */
  signal?: AbortSignal | null | undefined;
}

/**
 * The session of one account as a page sees it that gets no token. The bindings of the frameworks take it as they take a
 * {@link Session}. Its methods work detached from the object.
 */
export interface NativeSession
  extends Pick<Session, 'getSnapshot' | 'listen' | 'subscribe' | 'ready' | 'hydrate' | 'logout' | 'dispose'> {
  /**
   * Sends `body` to the login endpoint that Rust knows of, and keeps the tokens of the response in Rust.
   *
   * Resolves like a fetch as soon as the server has said anything. If it refused the login, or wants to know more, `ok` is `false`,
   * and nothing has changed.
   *
   * @param body What Rust makes the request of: any JSON, such as a name and a password.
   * @throws `SecureTokenError`: `unavailable` or `timeout` if the server was not reached, `misconfigured` if no login is named
   * in Rust or the tokens are not where it looks for them, `forbidden` if this window may not sign in, `conflict` if somebody has
   * signed in or out meanwhile, `invalid-argument` for what Rust cannot send and once disposed. The reason of the signal,
   * if that aborts.
   */
  login(body: unknown, options?: LoginOptions): Promise<LoginResult>;
  /**
   * A `fetch` whose requests Rust sends, with the token attached there. It can be given to whatever takes a `fetch`, and works as
   * {@link AuthFetch} does: it waits for the session, and belongs to the login under which it is called. Which requests a window
   * may send is named in its capability.
   *
   * A body of more than 1 MiB, and a stream, is sent once: its 401 is returned. At most 32 requests are under way at once,
   * the others wait for their turn.
   *
   * @throws `TypeError` with a `SecureTokenError` as its `cause`: `unavailable` or `timeout` if the network failed, `forbidden`
   * if the capability does not allow the request, `invalid-argument` for a header that Rust refuses and once disposed. An
   * `AbortError` with the code `conflict` if somebody else has signed in meanwhile. The reason of the signal, if that aborts.
   * The error of the snapshot, while the status is `unavailable`.
   */
  readonly fetch: AuthFetch;
  /**
   * Resolves with an address for `<img>`, `<video>` and the like, which shows what a GET of `address` brings. It holds for
   * this page only, and ends with it.
   *
   * @throws `SecureTokenError`, such as `forbidden` if the capability does not allow the request. `TypeError` for what is not
   * an address.
   */
  url(address: string | URL): Promise<string>;
}

/**
 * Shows the session of an account in a page that is to get no token: Rust attaches it to the requests of
 * {@link NativeSession.fetch}. Needs the cargo feature `native` and the permission set `secure-token:native`.
 *
 * Outside Tauri nobody signs in, and every request rejects.
 *
 * @throws `SecureTokenError` `invalid-argument` for an account that breaks the rules.
 */
export function createNativeSession(options: NativeSessionOptions = {}): NativeSession {
  const { account = 'default', onSignedOut, onError } = options;
  const session = sessionOf({ account, onSignedOut, onError }, tokenlessViewOf);
  const { getSnapshot, listen, subscribe, ready, hydrate, logout } = session;
  const view = tokenlessViewOf(account);
  let isDisposed = false;
  return {
    getSnapshot,
    listen,
    subscribe,
    ready,
    hydrate,
    logout,
    async login(body, { remember, signal } = {}) {
      if (isDisposed)
        throw new SecureTokenError('invalid-argument', 'this session was disposed: log in with a new one');
      throwIfAborted(signal);
      // What this page did before comes first.
      await orAbort(view.settle(), signal);
      const signingIn = view.ask(() => signIn({ account, body, remember }));
      const { ok, status, body: answer, snapshot } = await orAbort(signingIn, signal);
      await view.receive(snapshot);
      return { ok, status, body: answer };
    },
    fetch: createNativeFetch({ account, view, ready, isDisposed: () => isDisposed }),
    url: async (address) => {
      const { url } = new Request(address);
      return view.ask(() => mediaUrl({ account, url }));
    },
    dispose() {
      isDisposed = true;
      session.dispose();
    },
  };
}
