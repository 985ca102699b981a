// Makes the requests of an axios instance through createAuthFetch.

import axios, { type AxiosInstance } from 'axios';
import type { Session } from '../session/session.js';
import { refuse } from './auth-fetch-options.js';
import { type AuthFetchOptions, createAuthFetch } from './fetch.js';

const attached = new WeakSet<AxiosInstance>();

/** Whether the fetch adapter takes a `fetch`: since axios 1.12. Before, requests would go out without the token. */
function takesFetch(version = '0'): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > 1 || (major === 1 && minor >= 12);
}

/**
 * Authorises the requests of `instance` with the token of `session`, by the rules of {@link createAuthFetch}. Returns the
 * function that ends it: requests that are made later carry no token, also with a config of an earlier one.
 *
 * An interceptor hands every request to the fetch adapter of axios with that fetch: the address that is sent to decides, whatever
 * `baseURL` or other interceptors say, and no token is in a config, so none is in an `AxiosError`. An adapter of your own is
 * not called any more. Instances know nothing of each other: call this for each.
 *
 * @throws `TypeError` with the code `invalid-argument` for options that {@link createAuthFetch} refuses, for an instance that
 * is attached already, and with axios before 1.12.
 */
export function attachSession(
  instance: AxiosInstance,
  session: Session,
  options: AuthFetchOptions,
): () => void {
  if (!takesFetch(axios.VERSION)) refuse(`attachSession needs axios 1.12 or later, not ${axios.VERSION}`);
  const authFetch = createAuthFetch(session, options);
  if (attached.has(instance)) refuse('this axios instance has a session already: end that one first');
  attached.add(instance);
  const { request } = instance.interceptors;
  let send: typeof authFetch = authFetch;
  const id = request.use((config) => {
    config.adapter = 'fetch';
    config.env = { ...config.env, fetch: (input, init) => send(input, init) };
    // That adapter names itself, in a header that WebKit sends and CORS would have to allow.
    config.headers.set('User-Agent', false, false);
    return config;
  });
  return () => {
    // The second call must not end a session that was attached since.
    if (send !== authFetch) return;
    request.eject(id);
    attached.delete(instance);
    send = options.fetch ?? fetch;
  };
}
