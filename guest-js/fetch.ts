// A fetch that puts the token of a session on requests to listed origins, and nowhere else.

import type { Session } from './session.js';

/** Which requests get the token, and what sends them. */
export interface AuthFetchOptions {
  /**
   * The origins that get the token, exactly as `URL.origin` writes them: `https://api.example.com`, with a port if it is
   * not the usual one, without a path. `https:` only, or `http:` on this machine.
   */
  origins: string[];
  /** What sends the request. Default: the `fetch` of the page when this is called. `@tauri-apps/plugin-http` has one too. */
  fetch?: typeof fetch | undefined;
}

/** `http:` only where it does not leave the machine. No wildcard: URL takes `*` for a name, which would match nothing. */
const SAFE_ORIGIN = /^https:[^*]+$|^http:..(localhost|127(\.\d+){3}|\[::1])(:\d+)?$/;

/** `work`, but a signal that aborts does not wait for it. */
function orAbort<T>(work: Promise<T>, signal?: AbortSignal | null): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal?.reason);
    signal?.addEventListener('abort', stop);
    work.finally(() => signal?.removeEventListener('abort', stop)).then(resolve, reject);
  });
}

/**
 * Makes a `fetch` that authorises requests with the token of `session` (RFC 6750 section 2.1).
 *
 * Requests to other origins, and requests that carry an `Authorization` of their own, are passed on untouched. The others
 * wait for {@link Session.ready}, refresh a token whose time is over before they go out, and after a 401 are sent once
 * more with the next token. A second 401 is returned as it is. A body in `init` that is a stream cannot be sent twice, so
 * its 401 is returned; the body of a `Request` is kept in memory until the answer is there.
 *
 * A signal that aborts rejects with its reason, whatever `fetch` is used and whatever the request waits for.
 *
 * **Redirects.** The Fetch standard removes `Authorization` when a redirect leaves the origin, but webviews older than
 * that rule (2022) send it along. So a redirect of an authorised request is never followed: the promise rejects with a
 * `TypeError`, unless the caller asked for `redirect: 'manual'`, who gets the response. Call the final address.
 *
 * @throws `TypeError` without origins, or for one that is not a bare `https:` or loopback origin.
 */
export function createAuthFetch(
  session: Session,
  { origins, fetch: send = globalThis.fetch }: AuthFetchOptions,
): typeof fetch {
  const allowed = new Set(origins);
  for (const origin of allowed) {
    if (new URL(origin).origin !== origin || !SAFE_ORIGIN.test(origin))
      throw new TypeError(`not a bare https: or loopback origin: ${origin}`);
  }
  if (!allowed.size) throw new TypeError('no origins');

  return async (input, init) => {
    const given = input instanceof Request ? input : undefined;
    // The constructor resolves as fetch itself does. Kept as text, since a URL object could change meanwhile.
    const { url } = given ?? new Request(input);
    const headers = new Headers(init?.headers ?? given?.headers);
    if (!allowed.has(new URL(url).origin) || headers.has('authorization')) return send(input, init);

    const signal = init?.signal ?? given?.signal;
    signal?.throwIfAborted();
    const wait = <T>(work: Promise<T>) => orAbort(work, signal);
    const redirect = (init?.redirect ?? given?.redirect) === 'manual' ? 'manual' : 'error';
    const attempt = async (target: Request | string, token: string) => {
      // plugin-http writes into the headers that it is given (the boundary of a form, for one) and looks for a signal and
      // for `maxRedirections` in the options only.
      const own = new Headers(headers);
      own.set('authorization', `Bearer ${token}`);
      const options = {
        ...init,
        headers: own,
        redirect,
        maxRedirections: 0,
        signal: signal ?? null,
      } as const;
      const response = await send(target, options).catch((cause) => {
        // Each fetch has its own error for this; callers know that of the standard.
        signal?.throwIfAborted();
        throw cause;
      });
      if (redirect === 'error' && /30[12378]/.test(`${response.status}`)) {
        await response.body?.cancel();
        throw new TypeError('redirect refused');
      }
      return response;
    };

    const token = await wait(session.freshToken());
    if (!token) return send(input, init);

    // Cloned first, since sending uses up the body.
    const again = given?.clone() ?? url;
    const response = await attempt(given ?? url, token);
    if (response.status !== 401 || init?.body instanceof ReadableStream) return response;
    const next = await wait(session.refresh(token));
    if (!next || next === token) return response;
    await response.body?.cancel();
    return attempt(again, next);
  };
}
