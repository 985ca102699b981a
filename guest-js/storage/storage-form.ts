// The stored form of a key-value storage: which account a key is, and which token a value is. Frozen, since it is on disk.

import { SecureTokenError } from '../ipc/errors.js';

/** What an account cannot carry: control characters and lone surrogates. And what marks an escape. */
const NOT_IN_ACCOUNT = /[%\p{Cc}\p{Cs}]/gu;

/** What a token cannot carry: NUL and lone surrogates. And what marks an escape. */
const NOT_IN_TOKEN = /[%\0\p{Cs}]/gu;

/** Replaces each such UTF-16 unit by `%` and its four hexadecimal digits. */
function encode(field: string, text: string, unfit: RegExp): string {
  if (typeof text !== 'string') throw new SecureTokenError('invalid-argument', `${field} must be text`);
  return text.replace(unfit, (unit) => `%${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** The text that {@link encode} made `encoded` of, if there is one. */
function decode(encoded: string, unfit: RegExp): string | undefined {
  const text = encoded.replace(/%([\da-f]{4})/g, (_, unit) => String.fromCharCode(Number.parseInt(unit, 16)));
  return encode('', text, unfit) === encoded ? text : undefined;
}

/**
 * What the accounts of a namespace begin with. A namespace has no `/`, so no two begin alike.
 *
 * @throws {@link SecureTokenError} `invalid-argument`.
 */
export function prefixOf(namespace: string): string {
  if (!/^[\w.-]{1,64}$/.test(namespace))
    throw new SecureTokenError('invalid-argument', 'namespace must be 1 to 64 of A-Z a-z 0-9 . _ -');
  return `storage/${namespace}/`;
}

/**
 * The account that keeps the value of `key`.
 *
 * @throws {@link SecureTokenError} `invalid-argument` for a key that is no text. Its length is not checked here.
 */
export const accountOf = (prefix: string, key: string): string => prefix + encode('key', key, NOT_IN_ACCOUNT);

/** The key whose value `account` keeps, if it is one of those under `prefix`. */
export const keyOf = (prefix: string, account: string): string | undefined =>
  account.startsWith(prefix) ? decode(account.slice(prefix.length), NOT_IN_ACCOUNT) : undefined;

/**
 * The token that stands for `value`. The mark in front makes a token of the empty value, and tells this form from others.
 *
 * @throws {@link SecureTokenError} `invalid-argument` for a value that is no text.
 */
export const tokenOf = (value: string): string => `=${encode('value', value, NOT_IN_TOKEN)}`;

/**
 * The value that `token` stands for.
 *
 * @throws {@link SecureTokenError} `corrupt` for a token that no value has.
 */
export function valueIn(token: string): string {
  const value = token.startsWith('=') ? decode(token.slice(1), NOT_IN_TOKEN) : undefined;
  if (value === undefined)
    throw new SecureTokenError('corrupt', 'the account does not hold a value of a storage');
  return value;
}
