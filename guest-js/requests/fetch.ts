// A fetch that puts the token of a session on requests to listed origins, and nowhere else.

import type { Session } from '../session/session.js';
import { loginChanged, orAbort, throwIfAborted } from './abort.js';
import { type AuthFetchOptions, allowedOrigins, refuse } from './auth-fetch-options.js';
import { isInvalidToken } from './challenge.js';
import { Experience } from './experience.js';
import { type AuthFetchInit, copyInit } from './request-init.js';

export type { AuthFetchInit, AuthFetchOptions };

/** The `fetch` that {@link createAuthFetch} makes. */
export type AuthFetch = (input: RequestInfo | URL, init?: AuthFetchInit) => Promise<Response>;

/** Ends a body that nobody will read. It may have failed already, which is then of no interest. */
const drop = (response: Response) => void response.body?.cancel().catch(() => {});

/**
 * Makes a `fetch` that authorises requests with the token of `session` (RFC 6750 section 2.1).
 *
 * Requests to other origins, and requests that carry an `Authorization` of their own, are passed on untouched. The others
 * wait for {@link Session.ready}, refresh an expired token before they go out, and after a 401 are sent once more with the
 * next token. A second 401 is returned as it is, and so is one whose `WWW-Authenticate` names another reason than
 * `invalid_token`; see {@link AuthFetchOptions.expired}. While the session is `unavailable` they reject with its error.
 *
 * A request belongs to the login under which it is made. If somebody else signs in before it is sent, it rejects with an
 * `AbortError` whose `code` is `conflict`; if its 401 comes after that, the 401 is returned.
 *
 * The arguments are taken when it is called. A body in `init` that is a stream cannot be sent twice: its 401 is returned
 * after the refresh, so that the next request succeeds. The body of a `Request` is kept in memory until the response is
 * there, unless {@link AuthFetchInit.repeat} is `false`.
 *
 * A signal that aborts rejects with its reason, whatever `fetch` is used and whatever the request waits for. All other
 * rejections are errors: a `Response` that `refresh` throws is the `cause` of one.
 *
 * **Redirects.** The Fetch standard removes `Authorization` when a redirect leaves the origin, but webviews older than
 * that rule (2022) send it along. So a redirect of an authorised request is never followed: the promise rejects with a
 * `TypeError`, unless the caller asked for `redirect: 'manual'`, who gets the response. Call the final address.
 *
 * @throws `TypeError` with the code `invalid-argument` for options that break their rules or that do not exist.
 */
export function createAuthFetch(session: Session, options: AuthFetchOptions): AuthFetch {
  const {
    origins,
    insecureOrigins,
    fetch: send = globalThis.fetch,
    scheme = 'Bearer',
    expired = ({ status, headers }) =>
      status === 401 && isInvalidToken(headers.get('www-authenticate'), scheme),
    ...unknown
  } = options;
  for (const name in unknown) refuse(`unknown option: ${name}`);
  if (!/^[\w-]+$/.test(scheme)) refuse(`not a scheme: ${scheme}`);
  const allowed = allowedOrigins(origins, insecureOrigins);
  const experience = new Experience();

  return async (input, init) => {
    const given = input instanceof Request ? input : undefined;
    // The constructor resolves as fetch itself does. Kept as text, since a URL object could change meanwhile.
    const { url } = given ?? new Request(input);
    const { origin, pathname } = new URL(url);
    if (!allowed.has(origin)) return send(input, init);
    const taken = copyInit(init);
    const headers = new Headers(taken.headers ?? given?.headers);
    if (headers.has('authorization')) return send(input, init);

    const { repeat = true, body, signal = given?.signal, ...rest } = taken;
    throwIfAborted(signal);
    const wait = <T>(work: Promise<T>) => orAbort(work, signal);
    // Uses up the body of the Request now, as fetch does.
    const asked = given && new Request(given, taken);
    const members: RequestInit = asked
      ? // A Request loses these two when it is sent with options.
        { ...rest, referrer: asked.referrer, referrerPolicy: asked.referrerPolicy }
      : { ...rest, body: body ?? null };
    const redirect = (asked ?? rest).redirect === 'manual' ? 'manual' : 'error';

    const attempt = async (target: Request | string, token?: string) => {
      // plugin-http writes into the headers that it is given (the boundary of a form, for one) and looks for a signal and
      // for `maxRedirections` in the options only.
      const own = new Headers(headers);
      const sent = { ...members, headers: own, signal: signal ?? null };
      if (token) {
        own.set('authorization', `${scheme} ${token}`);
        Object.assign(sent, { redirect, maxRedirections: 0 });
      }
      const response = await wait(send(target, sent));
      if (token && redirect === 'error' && /^30[12378]$/.test(`${response.status}`)) {
        drop(response);
        throw new TypeError('redirect refused: call the final address');
      }
      return response;
    };

    const { login } = session.getSnapshot();
    const token = await wait(session.freshToken());
    const { status, error, login: now } = session.getSnapshot();
    // An API that is asked without the token says 401, which would look like a sign-out.
    if (status === 'unavailable' && error) throw error;
    if (now !== login && status !== 'signedOut') throw loginChanged();
    if (!token) return attempt(asked ?? url);

    const isStream = body instanceof ReadableStream;
    // Cloned first, since sending uses up the body.
    const again = repeat && !isStream ? asked?.clone() : undefined;
    const address = `${origin}${pathname}`;
    const response = await attempt(asked ?? url, token);
    if (!repeat || !expired || !(await expired(response))) {
      if (response.ok) experience.add(address, token, 'accepted');
      return response;
    }
    const before = experience.of(address, token);
    if (before === 'refused') return response;
    const next = await wait(session.refresh(token, { accepted: before === 'accepted' }));
    if (isStream || !next || next === token || session.getSnapshot().login !== login) return response;
    drop(response);
    const repeated = await attempt(again ?? url, next);
    if (repeated.ok) experience.add(address, next, 'accepted');
    if (repeated.status === response.status) experience.add(address, next, 'refused');
    return repeated;
  };
}
