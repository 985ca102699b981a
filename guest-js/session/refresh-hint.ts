// A hint for developers whose `refresh` hides what the server said, or does not resolve with tokens. Loaded when a
// refresh has failed.

import { SecureTokenError } from '../ipc/errors.js';
import { tellOnce } from '../shared/tell-once.js';

/** The errors of a network that fails and of an abort. They have no status to give. */
const NO_RESPONSE = /Abort|Network|Timeout|TypeError/;

/** Whether the session can learn from `cause` what the server said, or that it said nothing. */
function isClear(cause: unknown): boolean {
  const { name, code, error, retryAfter, response, status = response?.status } = Object(cause);
  return (
    typeof status === 'number' ||
    typeof error === 'string' ||
    // Of axios, of Node, and of this package.
    typeof code === 'string' ||
    retryAfter !== undefined ||
    NO_RESPONSE.test(name)
  );
}

/** Tells once per page that a refresh which fails like this can never succeed, or never end the session. */
export function hintAtFailure(cause: unknown): void {
  // Where a token goes out although it could not be refreshed, nobody else says so.
  if (cause instanceof SecureTokenError && cause.code === 'invalid-argument')
    tellOnce('tokens', `refresh: ${cause.message}`);
  if (isClear(cause)) return;
  tellOnce(
    'refresh',
    'refresh rejected with an error that has no status, so the user stays signed in. If the server has refused, reject ' +
      'with Object.assign(new Error("refresh failed"), { response }) or throw SessionEnded. ' +
      'See "A refresh that fails" in docs/usage.md',
  );
}
