// Makes the requests of an axios instance through createAuthFetch.

import axios, { type AxiosInstance } from 'axios';
import { type AuthFetchOptions, createAuthFetch } from './fetch.js';
import type { Session } from './session.js';

/** Whether the fetch adapter takes a `fetch`: since axios 1.12. Before, requests would go out without the token. */
function takesFetch(version = '0'): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > 1 || (major === 1 && minor >= 12);
}

/**
 * Authorises the requests of `instance` with the token of `session`, by the rules of {@link createAuthFetch}. Returns the
 * function that ends it.
 *
 * An interceptor hands every request to the fetch adapter of axios with that fetch: the address that is sent to decides, whatever
 * `baseURL` or other interceptors say, and no token is in a config, so none is in an `AxiosError`. An adapter of your own is
 * not called any more. Instances know nothing of each other: call this for each.
 *
 * @throws `TypeError` without origins, or for one that is not a bare `https:` or loopback origin, and with axios before 1.12.
 */
export function attachSession(
  instance: AxiosInstance,
  session: Session,
  options: AuthFetchOptions,
): () => void {
  if (!takesFetch(axios.VERSION))
    throw new TypeError(`attachSession needs axios 1.12 or later, not ${axios.VERSION}`);
  const { request } = instance.interceptors;
  const fetch = createAuthFetch(session, options);
  const id = request.use((config) => {
    config.adapter = 'fetch';
    config.env = { ...config.env, fetch };
    // That adapter names itself, in a header that WebKit sends and CORS would have to allow.
    config.headers.set('User-Agent', false, false);
    return config;
  });
  return () => request.eject(id);
}
