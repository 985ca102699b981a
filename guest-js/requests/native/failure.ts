// What a native fetch rejects with.

import { SecureTokenError } from '../../ipc/errors.js';
import { loginChanged } from '../abort.js';

/** What HTTP clients that repeat requests know as the failure of a network. */
const NETWORK = 'fetch failed';

/** Says something about the session, and nothing about the request. */
const OF_SESSION = /^(locked|denied|lost|corrupt|too-large)$/;

/** An error as those of the page's fetch: a `TypeError` whose `cause` says more. */
export function failure(cause: unknown): unknown {
  if (!(cause instanceof SecureTokenError)) return cause;
  const { code, message, retryable } = cause;
  if (code === 'conflict') return loginChanged();
  if (OF_SESSION.test(code)) return cause;
  // Assigned, since old webviews ignore the option `cause`.
  return Object.assign(new TypeError(retryable ? NETWORK : message), { cause });
}
