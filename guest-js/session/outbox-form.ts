// The stored form of the revoke outbox: which account it is, and the text that its token is. Frozen, since it is on disk.

import type { TokenRecord } from '../ipc/commands.js';
import { SecureTokenError } from '../ipc/errors.js';

/** A record to revoke. */
export interface Entry extends TokenRecord {
  /** When it is dropped, in milliseconds since the Unix epoch. */
  until: number;
}

/** The account that holds the outbox of the session of `account`. No storage has one that begins so. */
export const outboxOf = (account: string): string => `revoke-outbox/${account}`;

/** Tells this form, and its version, from a token that a server gave. */
const MARK = 'revoke-outbox.v1.';

/** The token that stands for `entries`. */
export const tokenOf = (entries: Entry[]): string => MARK + JSON.stringify(entries);

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    // Its message would show a part of the text.
    return undefined;
  }
}

const isEntry = (value: unknown): value is Entry => {
  const { token, until } = Object(value);
  return typeof token === 'string' && typeof until === 'number';
};

/**
 * The entries that `token` stands for.
 *
 * @throws {@link SecureTokenError} `corrupt` for a token that is no outbox, or one of a later version.
 */
export function entriesIn(token: string): Entry[] {
  const entries = token.startsWith(MARK) ? parse(token.slice(MARK.length)) : undefined;
  if (Array.isArray(entries) && entries.every(isEntry)) return entries;
  throw new SecureTokenError('corrupt', 'the account does not hold a revoke outbox');
}
