// The one error type of this package, and how every rejection becomes one.

import { tellOnce } from '../shared/tell-once.js';

/** Every code, in the order of the list that Rust, Kotlin and Swift share. */
export const errorCodes = [
  'locked',
  'unavailable',
  'denied',
  'misconfigured',
  'lost',
  'corrupt',
  'too-large',
  'invalid-argument',
  'conflict',
  'forbidden',
  'timeout',
  'internal',
] as const;

/**
 * What went wrong, and so what the caller can do.
 *
 * | code | meaning | what to do |
 * |---|---|---|
 * | `locked` | the store or the device is locked, or the unlock prompt was dismissed | ask the user to unlock, then try again |
 * | `unavailable` | there is no store here (no Secret Service, no session bus, not inside Tauri), or it is full | go on in memory; try again later |
 * | `denied` | the user or the OS refused | respect it; do not ask in a loop |
 * | `misconfigured` | the build lacks something: entitlement, identifier, plugin registration | fix the build |
 * | `lost` | the record is there but can never be read again | sign in again; `setToken` replaces it |
 * | `corrupt` | what is stored is not ours or is damaged | sign in again; only `setToken` overwrites it |
 * | `too-large` | the token is over 1 MiB, or the record is over the limit of this platform's store | store less |
 * | `invalid-argument` | an argument breaks the rules | fix the call |
 * | `conflict` | `ifRevision` is not the current revision | read again, then decide |
 * | `forbidden` | this window may not call this command, or not for this account | grant the permission or do not call |
 * | `timeout` | the store did not answer within the deadline | try again |
 * | `internal` | anything else | report it |
 */
export type ErrorCode = (typeof errorCodes)[number];

/** The error of every command. Its message never holds a token. */
export class SecureTokenError extends Error {
  override readonly name = 'SecureTokenError';
  /** What went wrong; see {@link ErrorCode}. */
  readonly code: ErrorCode;
  /** Whether the same call can succeed later without a change: `locked`, `unavailable` and `timeout`. */
  readonly retryable: boolean;

  constructor(code: ErrorCode, message: string) {
    super(message);
    this.code = code;
    this.retryable = /locked|unavailable|timeout/.test(code);
  }
}

/**
 * Throw this from {@link SessionOptions.refresh} to end the session, when what the server sends has neither a `status` of
 * 401 or 403 nor the `error` that RFC 6749 section 5.2 names `invalid_grant`.
 */
export class SessionEnded extends Error {
  override readonly name = 'SessionEnded';
  /** The mark of an OAuth error response. */
  readonly error = 'invalid_grant';
}

/** True inside a Tauri window. */
export const inTauri = () => '__TAURI_INTERNALS__' in globalThis;

/** The code and the message of a rejection that is not the plugin's own. */
async function explain(cause: unknown): Promise<[ErrorCode, string]> {
  if (!inTauri()) return ['unavailable', 'there is no key store outside Tauri, run "npm run tauri dev"'];
  try {
    return (await import('./tauri-refusals.js')).explainRefusal(cause);
  } catch {
    // The page can load nothing any more, but the caller still gets an error with a code.
    return ['internal', 'Tauri refused it'];
  }
}

/**
 * Turns whatever a command rejected with into a {@link SecureTokenError}, and tells the developer once of a fault of the
 * build.
 *
 * The plugin rejects with `{ code, message }`. Tauri itself rejects with plain strings, of which only those are repeated
 * that cannot echo an argument.
 */
export async function toError(cause: unknown, command: string): Promise<SecureTokenError> {
  const { code, message } = Object(cause) as { code: ErrorCode; message: string };
  if (errorCodes.includes(code)) return ownError({ code, message });
  const [found, remedy] = await explain(cause);
  return ownError({ code: found, message: `${command}: ${remedy}` });
}

/** The error for what the plugin says. Tells the developer once of a fault of the build. */
export function ownError({ code, message }: { code: ErrorCode; message: string }): SecureTokenError {
  if (/misconfigured|forbidden/.test(code)) tellOnce(code, message);
  return new SecureTokenError(code, message);
}
