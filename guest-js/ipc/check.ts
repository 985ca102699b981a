// The rules for arguments, checked before they leave the page: a message names the field and never its value.

import { SecureTokenError } from './errors.js';

const invalid = (message: string) => new SecureTokenError('invalid-argument', message);

const byteLength = (value: unknown) => new TextEncoder().encode(value as string).length;

/** `\p{Cs}` is a lone surrogate, which UTF-8 cannot carry. */
const isText = (value: unknown, fit: RegExp) => typeof value === 'string' && fit.test(value);
const isName = (value: unknown) => isText(value, /^[^\p{Cc}\p{Cs}]+$/u) && byteLength(value) <= 512;
const isSecret = (value: unknown) => isText(value, /^[^\0\p{Cs}]+$/u);
const isCount = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0;

/** Every field, in an order such that each command takes the first few. */
const FIELDS: [name: string, isFit: (value: unknown) => boolean][] = [
  ['account', isName],
  ['ifRevision', isCount],
  ['token', isSecret],
  ['refreshToken', isSecret],
  ['expiresAt', isCount],
];

/**
 * Returns `args` if all its fields are among the first `count` and keep their rules.
 *
 * @throws {@link SecureTokenError} `invalid-argument` or `too-large`.
 */
export function check<T extends object>(args: T, count: number): T {
  const rules = new Map(FIELDS.slice(0, count));
  // A command that takes a token demands it. Last, since another name for it explains why it is missing.
  for (const [name, value] of Object.entries(
    count > 2 ? { ...args, token: Object(args).token } : Object(args),
  )) {
    if (value === undefined && name !== 'token') continue;
    const isFit = rules.get(name);
    // A name that is not known may itself be a secret.
    if (!isFit) throw invalid(`unknown argument; known are ${[...rules.keys()]}`);
    if (!isFit(value)) throw invalid(`${name} is not valid`);
    if (byteLength(value) > 1 << 20) throw new SecureTokenError('too-large', `${name} is over 1 MiB`);
  }
  return args;
}
