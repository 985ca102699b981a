// Checks the tokens that a server sent.

import { check, RECORD } from '../ipc/check.js';
import { SecureTokenError } from '../ipc/errors.js';
import type { SentTokens } from '../ipc/owner.js';
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
 * What an owner is sent of tokens that arrive now: no lifetime that says nothing.
 *
 * @throws {@link SecureTokenError} `invalid-argument` or `too-large`.
 */
export function receive({ token, refreshToken, expiresIn, expiresAt }: Tokens): SentTokens {
  const now = Date.now();
  // Beyond what JavaScript can count means "never": servers send the largest number that they have.
  const isAhead = (end?: number | null) => Number.isSafeInteger(Math.round(end ?? 0)) && (end ?? 0) > now;
  const tokens: SentTokens = { token };
  if (refreshToken) tokens.refreshToken = refreshToken;
  if (expiresIn) {
    if (isAhead(now + expiresIn * 1000)) tokens.expiresIn = expiresIn;
  } else if (isAhead(expiresAt)) tokens.expiresAt = Math.round(expiresAt as number);
  check({ token, refreshToken: tokens.refreshToken }, RECORD);
  if (!FIELD_VALUE.test(token))
    throw new SecureTokenError('invalid-argument', 'no header can carry the token');
  return tokens;
}

/** When tokens that arrive now expire, in milliseconds since the Unix epoch. */
export const endOf = ({ expiresIn, expiresAt }: SentTokens): number | undefined =>
  expiresIn ? Math.round(Date.now() + expiresIn * 1000) : expiresAt;
