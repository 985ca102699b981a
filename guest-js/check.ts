// The rules for arguments, checked before they leave the page: a message names the field and never its value.

import { SecureTokenError } from './errors.js';

const byteLength = (value: unknown) => new TextEncoder().encode(value as string).length;

/** `\p{Cs}` is a lone surrogate, which UTF-8 cannot carry. */
const isText = (value: unknown, fit: RegExp) => typeof value === 'string' && fit.test(value);
const isName = (value: unknown) => isText(value, /^[^\p{Cc}\p{Cs}]+$/u) && byteLength(value) <= 512;
const isSecret = (value: unknown) => isText(value, /^[^\0\p{Cs}]+$/u);
const isCount = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0;

const TEXT = 'must be text without NUL, not empty';

/** Every field, in an order such that each command takes the first few. */
const FIELDS: [name: string, isFit: (value: unknown) => boolean, rule: string][] = [
  ['account', isName, 'must have 1 to 512 bytes and no control characters'],
  ['ifRevision', isCount, 'must be a revision'],
  ['token', isSecret, TEXT],
  ['refreshToken', isSecret, TEXT],
  ['expiresAt', isCount, 'must be whole milliseconds'],
];

/**
 * Returns `args` if all its fields are among the first `count` and keep their rules.
 *
 * @throws {@link SecureTokenError} `invalid-argument` or `too-large`.
 */
export function check<T extends object>(args: T, count: number): T {
  const fields = FIELDS.slice(0, count);
  // Its name is not repeated: what is given for a name may be a secret.
  if (Object.keys(args ?? {}).some((name) => !fields.some(([known]) => known === name)))
    throw new SecureTokenError(
      'invalid-argument',
      `unknown argument; known are: ${fields.map(([name]) => name).join(', ')}`,
    );
  for (const [name, isFit, rule] of fields) {
    const value = args?.[name as keyof T];
    if (value === undefined && name !== 'token') continue;
    if (!isFit(value)) throw new SecureTokenError('invalid-argument', `${name} ${rule}`);
    if (byteLength(value) > 1 << 20) throw new SecureTokenError('too-large', `${name} is over 1 MiB`);
  }
  return args;
}
