// Turns the tokens that a server sent into a record.

import { check } from '../ipc/check.js';
import type { TokenRecord } from '../ipc/commands.js';
import type { SecureTokenError } from '../ipc/errors.js';
import type { Tokens } from './session-types.js';

/** What a header can carry (RFC 9110 section 5.5), without the obsolete bytes over 0x7F. */
export const FIELD_VALUE = /^[!-~]([\t -~]*[!-~])?$/;

/** A moment before this one, in March 1973, was not given in milliseconds. */
export const EARLIEST_MOMENT = 1e11;

/** Whether the fields are those of {@link Tokens}, so that nothing has to be explained to the developer. */
export function areAsExpected(tokens: Tokens): boolean {
  const { token, expiresIn, expiresAt } = Object(tokens) as Tokens;
  const end = expiresIn || expiresAt || 0;
  return (
    typeof token === 'string' &&
    FIELD_VALUE.test(token) &&
    typeof end === 'number' &&
    (end === expiresIn || !(end > 0 && end < EARLIEST_MOMENT)) &&
    !/refresh_|expires_/.test(`${Object.keys(tokens)}`)
  );
}

/**
 * The part of unexpected tokens that can be used.
 *
 * @param complain Called for each fault that leaves the token usable.
 * @throws {@link SecureTokenError} `invalid-argument` if there is no token that a request could carry.
 */
export const inspect = async (tokens: Tokens, complain: (fault: SecureTokenError) => void): Promise<Tokens> =>
  (await import('./unexpected-tokens.js')).usablePart(tokens, complain);

/**
 * The record of tokens that arrive now.
 *
 * @throws {@link SecureTokenError} `invalid-argument` or `too-large`.
 */
export function receive(tokens: Tokens, refreshTokenBefore?: string): TokenRecord {
  const now = Date.now();
  const { token, refreshToken, expiresIn, expiresAt } = tokens;
  const end = Math.round(expiresIn ? now + expiresIn * 1000 : (expiresAt as number));
  const record = {
    token,
    refreshToken: refreshToken || refreshTokenBefore,
    // Beyond what JavaScript can count means "never": servers send the largest number that they have.
    expiresAt: end > now && Number.isSafeInteger(end) ? end : undefined,
  };
  return check(record as TokenRecord, 5);
}
