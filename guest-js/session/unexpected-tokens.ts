// Explains to the developer what is wrong with tokens that the app passed on. Loaded only then.
//
// No message shows a value, and none a name that is not in a list below: one from elsewhere could itself be a secret.

import { SecureTokenError } from '../ipc/errors.js';
import { EARLIEST_MOMENT, FIELD_VALUE } from './receive.js';
import type { Tokens } from './session-types.js';

type Fields = Record<string, unknown>;
type Names = [theirs: string, ours: string][];

/** What OAuth (RFC 6749 section 5.1) and other servers call the fields of {@link Tokens}. */
const OTHER_NAMES: Names = [
  ['access_token', 'token'],
  ['accessToken', 'token'],
  ['auth_token', 'token'],
  ['access', 'token'],
  ['jwt', 'token'],
  ['key', 'token'],
  ['refresh_token', 'refreshToken'],
  ['refresh', 'refreshToken'],
  ['expires_in', 'expiresIn'],
  ['expires_at', 'expiresAt'],
];

/** Where a response has its tokens if not at its top. */
const WRAPPERS = ['data', 'result', 'payload', 'tokens', 'session'];

/** What the body of a refusal has. */
const REFUSALS = ['error', 'errors', 'message', 'detail', 'title', 'status', 'statusCode', 'code', 'success'];

const SHAPE = '{ token, refreshToken, expiresIn }';

const invalid = (message: string) => new SecureTokenError('invalid-argument', message);

const isGiven = (value: unknown) => value !== undefined && value !== null && value !== '';

/** The names under which the response has what it lacks under ours. */
function otherNames(fields: Fields): Names {
  const hasEnd = isGiven(fields.expiresIn) || isGiven(fields.expiresAt);
  return OTHER_NAMES.filter(
    ([theirs, ours]) =>
      ['string', 'number'].includes(typeof fields[theirs]) &&
      !isGiven(fields[ours]) &&
      !(hasEnd && ours.startsWith('expires')),
  );
}

function mapping(names: Names): string {
  const fields = names.map(
    ([theirs, ours]) => `${ours}: response.${theirs}${ours === 'expiresAt' ? ' * 1000' : ''}`,
  );
  return `{ ${fields.join(', ')} }`;
}

/** Why there is no token, and what to do. */
function whyMissing(fields: Fields): string {
  if (typeof fields.then === 'function') return `got a promise instead of ${SHAPE}: put "await" before it`;
  if (typeof fields.json === 'function')
    return `got a Response instead of ${SHAPE}: check response.ok, then pass the fields of await response.json()`;
  const names = otherNames(fields);
  const theirs = names.find(([, ours]) => ours === 'token')?.[0];
  if (theirs) return `the response has ${theirs} instead of token: pass ${mapping(names)}`;
  const wrapper = WRAPPERS.find((name) => fields[name] && typeof fields[name] === 'object');
  if (wrapper) return `token is missing, and the response has ${wrapper}: pass ${SHAPE} out of it`;
  const refusal = REFUSALS.find((name) => isGiven(fields[name]));
  if (refusal)
    return `token is missing, and the response has ${refusal}, so the API may have refused: check response.ok before you pass the body on`;
  return `token is missing: pass ${SHAPE}`;
}

function whyEndIsUnknown({ expiresIn, expiresAt }: Tokens): string | undefined {
  if (expiresIn)
    return typeof expiresIn === 'number'
      ? undefined
      : 'expiresIn must be a number of seconds: for digits as text pass Number(text)';
  if (!expiresAt) return undefined;
  if (typeof expiresAt !== 'number')
    return 'expiresAt must be a number of milliseconds since the Unix epoch: for a date as text pass Date.parse(text)';
  return expiresAt > 0 && expiresAt < EARLIEST_MOMENT
    ? 'expiresAt must be in milliseconds since the Unix epoch: for seconds pass seconds * 1000, and for a lifetime use expiresIn'
    : undefined;
}

/** See {@link inspect}. */
export function usablePart(tokens: Tokens, complain: (fault: SecureTokenError) => void): Tokens {
  if (typeof tokens !== 'object' || !tokens) {
    const kind = tokens === null ? 'null' : typeof tokens;
    throw invalid(`got ${kind} instead of ${SHAPE}: return them from the function that calls the API`);
  }
  const fields = tokens as unknown as Fields;
  const { token, refreshToken } = tokens;
  if (!isGiven(token)) throw invalid(whyMissing(fields));
  if (typeof token !== 'string') throw invalid('token must be text');
  if (!FIELD_VALUE.test(token))
    throw invalid(
      'token has a character that no HTTP header can carry: only visible ASCII may be in it. Some encoders of Base64 add line breaks: take them out',
    );
  const fault = whyEndIsUnknown(tokens);
  if (fault) complain(invalid(fault));
  // A second name for the token itself is no fault.
  const names = otherNames(fields).filter(([, ours]) => ours !== 'token');
  if (names.length > 0)
    complain(
      invalid(`the response has ${names.map(([theirs]) => theirs).join(', ')}: pass ${mapping(names)}`),
    );
  const { expiresIn, expiresAt } = fault ? ({} as Tokens) : tokens;
  return { token, refreshToken, expiresIn, expiresAt } as Tokens;
}
