// The rules for arguments, checked before they leave the page: a message names the field and never its value.

import { SecureTokenError } from './errors.js';

type Rule = readonly [demand: string, holds: (value: unknown) => boolean];

const bytes = (text: unknown) => new TextEncoder().encode(text as string).length;

/** `\p{Cs}` is a lone surrogate, which UTF-8 cannot carry. */
const isText = (value: unknown, forbidden: RegExp) =>
  typeof value === 'string' && value !== '' && !forbidden.test(value);

const SECRET: Rule = ['text without NUL', (value) => isText(value, /[\0\p{Cs}]/u)];
const COUNT: Rule = ['a whole number', (value) => Number.isSafeInteger(value) && (value as number) >= 0];

/** Every field, in an order such that each command takes the first few. */
const RULES: [field: string, rule: Rule][] = [
  [
    'account',
    [
      '1 to 512 bytes without control characters',
      (value) => isText(value, /[\p{Cc}\p{Cs}]/u) && bytes(value) <= 512,
    ],
  ],
  ['ifRevision', COUNT],
  ['token', SECRET],
  ['refreshToken', SECRET],
  ['expiresAt', COUNT],
];

/**
 * Returns `args` if all its fields are among the first `count` and keep their rules.
 *
 * @throws {@link SecureTokenError} `invalid-argument` or `too-large`.
 */
export function check<T extends object>(args: T, count: number): T {
  const rules = new Map(RULES.slice(0, count));
  // A command that takes a token demands it.
  for (const [field, value] of Object.entries(count > 2 ? { token: undefined, ...args } : args)) {
    if (value === undefined && field !== 'token') continue;
    const [demand, holds] = rules.get(field) ?? ['absent'];
    if (!holds?.(value)) throw new SecureTokenError('invalid-argument', `${field} must be ${demand}`);
    if (bytes(value) > 1 << 20) throw new SecureTokenError('too-large', `${field} is over 1 MiB`);
  }
  return args;
}
