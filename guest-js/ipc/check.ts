// The rules for arguments, checked before they leave the page: a message names the field and never its value.

import { SecureTokenError } from './errors.js';

const invalid = (message: string) => new SecureTokenError('invalid-argument', message);

const byteLength = (value: unknown) => new TextEncoder().encode(value as string).length;

/** `\p{Cs}` is a lone surrogate, which UTF-8 cannot carry. */
const isText = (value: unknown, fit: RegExp) => typeof value === 'string' && fit.test(value);
const isName = (value: unknown) => isText(value, /^[^\p{Cc}\p{Cs}]+$/u) && byteLength(value) <= 512;
const isSecret = (value: unknown) => isText(value, /^[^\0\p{Cs}]+$/u);
const isCount = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0;

const FIELDS = {
  account: isName,
  ifRevision: isCount,
  token: isSecret,
  refreshToken: isSecret,
  expiresAt: isCount,
};

type Field = keyof typeof FIELDS;

/** What names an account. */
export const ACCOUNT: readonly Field[] = ['account'];
/** What changes an account. */
export const CHANGE: readonly Field[] = ['account', 'ifRevision'];
/** What changes an account to a record. */
export const RECORD: readonly Field[] = ['account', 'ifRevision', 'token', 'refreshToken', 'expiresAt'];

/**
 * Returns `args` if all its fields are among `known` and keep their rules. One that knows of a token demands it.
 *
 * @throws {@link SecureTokenError} `invalid-argument` or `too-large`.
 */
export function check<T extends object>(args: T, known: readonly Field[]): T {
  const fields: Record<string, unknown> = { ...(args as Record<string, unknown>) };
  // Looked at last, since another name for it explains why it is missing.
  if (known.includes('token')) fields.token ??= undefined;
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined && name !== 'token') continue;
    const field = known.find((field) => field === name);
    // A name that is not known may itself be a secret.
    if (!field) throw invalid(`unknown argument; known are ${known}`);
    if (!FIELDS[field](value)) throw invalid(`${name} is not valid`);
    if (byteLength(value) > 1 << 20) throw new SecureTokenError('too-large', `${name} is over 1 MiB`);
  }
  return args;
}
