// Turns the tokens that a server sent into a record.

import { check } from './check.js';
import type { TokenRecord } from './commands.js';
import type { SecureTokenError } from './errors.js';
import type { Tokens } from './session-types.js';

/** What a header can carry (RFC 9110 section 5.5), without the obsolete bytes over 0x7F. */
const FIELD_VALUE = /^[!-~]([\t -~]*[!-~])?$/;

/** The names that OAuth (RFC 6749 section 5.1) and other servers have for what comes with a token. */
const OTHER_NAME = /^(refresh(_token)?|expires_(in|at))$/;

/** A moment before this one, in March 1973, was not given in milliseconds. */
const EARLIEST_MOMENT = 1e11;

/** Whether a request can carry the token. */
export const isFitForHeader = (token: unknown) => typeof token === 'string' && FIELD_VALUE.test(token);

/** 0 and numbers below it say nothing. */
export const isLifetime = (value: unknown) => typeof value === 'number';
export const isMoment = (value: unknown) => isLifetime(value) && !(value > 0 && value < EARLIEST_MOMENT);

/** Whether the fields are those of {@link Tokens}, so that nothing has to be explained to the developer. */
export function areAsExpected(tokens: Tokens): boolean {
  const { token, expiresIn, expiresAt } = Object(tokens) as Tokens;
  return (
    isFitForHeader(token) &&
    (expiresIn ? isLifetime(expiresIn) : !expiresAt || isMoment(expiresAt)) &&
    !Object.keys(tokens).some((name) => OTHER_NAME.test(name))
  );
}

/**
 * The part of unexpected tokens that can be used.
 *
 * @param complain Called for each fault that leaves the token usable.
 * @throws {@link SecureTokenError} `invalid-argument` if there is no token that a request could carry.
 */
export async function inspect(tokens: Tokens, complain: (fault: SecureTokenError) => void): Promise<Tokens> {
  const { usablePart } = await import('./unexpected-tokens.js');
  return usablePart(tokens, complain);
}

/**
 * The record of tokens that arrive now.
 *
 * @throws {@link SecureTokenError} `invalid-argument` or `too-large`.
 */
export function receive(tokens: Tokens, refreshTokenBefore?: string): TokenRecord {
  const now = Date.now();
  const { token, refreshToken, expiresIn, expiresAt } = tokens;
  const end = Math.round(expiresIn ? now + expiresIn * 1000 : (expiresAt ?? Number.NaN));
  const record = {
    token,
    refreshToken: refreshToken || refreshTokenBefore,
    // Beyond what JavaScript can count means "never": servers send the largest number that they have.
    expiresAt: end > now && Number.isSafeInteger(end) ? end : undefined,
  };
  return check(record as TokenRecord, 5);
}
