// The rules for arguments, checked before they leave the page: a message names the field and never its value.

import { SecureTokenError } from './errors.js';

const byteLength = (value: unknown) => new TextEncoder().encode(value as string).length;

/** `\p{Cs}` is a lone surrogate, which UTF-8 cannot carry. */
const isName = (value: string) => /^[^\p{Cc}\p{Cs}]+$/u.test(value) && byteLength(value) <= 512;
const isSecret = (value: string) => /^[^\0\p{Cs}]+$/u.test(value);

/** Every field, in an order such that each command takes the first few. One without a rule for text is a count. */
const FIELDS: [name: string, isFit: ((value: string) => boolean) | undefined][] = [
  ['account', isName],
  ['ifRevision', undefined],
  ['token', isSecret],
  ['refreshToken', isSecret],
  ['expiresAt', undefined],
];

/**
 * Returns `args` if all its fields are among the first `count` and keep their rules.
 *
 * @throws {@link SecureTokenError} `invalid-argument` or `too-large`.
 */
export function check<T extends object>(args: T, count: number): T {
  const rules = new Map(FIELDS.slice(0, count));
  // A command that takes a token demands it.
  for (const [name, value] of Object.entries(count > 2 ? { token: undefined, ...args } : args)) {
    if (value === undefined && name !== 'token') continue;
    const isFit = rules.get(name);
    const isValid = isFit
      ? typeof value === 'string' && isFit(value)
      : rules.has(name) && Number.isSafeInteger(value) && value >= 0;
    if (!isValid) throw new SecureTokenError('invalid-argument', `${name} is not valid`);
    if (byteLength(value) > 1 << 20) throw new SecureTokenError('too-large', `${name} is over 1 MiB`);
  }
  return args;
}
