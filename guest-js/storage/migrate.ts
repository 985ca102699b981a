// Moves a token from where an app kept it before into the key store, so that no interruption loses it.

import { check, RECORD } from '../ipc/check.js';
import { getToken, type StoredToken, setToken, storeInfo, type TokenRecord } from '../ipc/commands.js';
import { SecureTokenError } from '../ipc/errors.js';

/** Where the token is now. What its functions reject with is passed on as it is. */
export interface MigrationSource<T> {
  /** The old value; `null` or `undefined` says that there is none. */
  read(): T | null | undefined | Promise<T | null | undefined>;
  /** Removes the old value for good. Must reject when it could not. */
  remove(): unknown;
}

/** Which account gets the token, and how it is found in the old value. */
export interface MigrationOptions<T> {
  /** The account that gets the token. Default: `"default"`. */
  account?: string | undefined;
  /**
   * Makes a record of the old value. Whatever it throws becomes `invalid-argument`, since its text could show the token.
   *
   * Default: takes a token as text or JSON text, and an object with `token`, `refreshToken` and `expiresAt` (milliseconds since
   * the Unix epoch) as such or as JSON. Other fields are refused: they would be lost.
   */
  parse?: ((value: T) => TokenRecord) | undefined;
}

/**
 * - `absent`: there is no old value. Nothing was done.
 * - `moved`: the key store holds the token, the old value is gone.
 * - `superseded`: the account held another record already, which was kept; the old value is gone.
 */
export type Migration = 'absent' | 'moved' | 'superseded';

/** RFC 6750 section 2.1 has fewer characters, but some servers use more. None of them sends a space or a bracket. */
const BARE_TOKEN = /^[^\s"'{}[\]<>]+$/;

function fromText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text === 'undefined' || !BARE_TOKEN.test(text) ? undefined : text;
  }
}

function defaultParse(value: unknown): TokenRecord {
  const known = typeof value === 'string' ? fromText(value) : value;
  return (typeof known === 'string' ? { token: known } : known) as TokenRecord;
}

/** The fields of a record in one order. */
const canonical = ({ token, refreshToken, expiresAt }: TokenRecord) =>
  JSON.stringify({ token, refreshToken, expiresAt });

const isAbsent = (value: unknown): value is null | undefined => value === null || value === undefined;

const invalid = (why: string) => new SecureTokenError('invalid-argument', `the old value ${why}`);

function toRecord<T>(value: T, parse: (value: T) => TokenRecord): TokenRecord {
  let record: TokenRecord;
  try {
    record = { ...parse(value) };
  } catch {
    throw invalid('is not a token');
  }
  check(record, RECORD);
  if (Object.keys(record).some((field) => !/^(token|refreshToken|expiresAt)$/.test(field)))
    throw invalid('has more than a record holds');
  // What a keyring plugin reads that used the names which this one uses now. To remove that would be to sign out.
  if (record.token.startsWith('secure-token.v')) throw invalid('is the record of this plugin');
  return record;
}

/** Writes an account that holds nothing, and returns what the key store holds then. */
async function write(account: string, record: TokenRecord): Promise<StoredToken> {
  let revision: number | undefined;
  let refused: unknown;
  try {
    // 0: neither a login nor a logout has changed the account since the app started.
    ({ revision } = await setToken({ ...record, account, ifRevision: 0 }));
  } catch (cause) {
    if ((cause as SecureTokenError).code !== 'conflict') throw cause;
    refused = cause;
  }
  const stored = await getToken({ account });
  // Another revision than that of the write is a change since, which is newer than the old value.
  if (stored && (stored.revision !== revision || canonical(stored) === canonical(record))) return stored;
  throw refused ?? new SecureTokenError('internal', 'the key store does not hold what was written');
}

async function move<T>(source: MigrationSource<T>, options: MigrationOptions<T>): Promise<Migration> {
  const { account = 'default', parse = defaultParse } = options;
  const old = await source.read();
  if (isAbsent(old)) return 'absent';
  const record = toRecord(old, parse);

  const found = await getToken({ account });
  if (!(await storeInfo()).persistent)
    throw new SecureTokenError('unavailable', 'no key store that outlives the app');
  const stored = found ?? (await write(account, record));

  const left = await source.read();
  if (!isAbsent(left)) {
    if (canonical(toRecord(left, parse)) !== canonical(record))
      throw new SecureTokenError('conflict', 'the old value changed meanwhile');
    await source.remove();
    if (!isAbsent(await source.read()))
      throw new SecureTokenError('internal', 'the old value is still there after its removal');
  }
  return canonical(stored) === canonical(record) ? 'moved' : 'superseded';
}

/**
 * Moves the token of `source` into the key store: reads the old value, writes the account, reads that back, and only then
 * removes the old value. Interrupted anywhere, at least one of the two places has the token, and the next call finishes.
 * (The plugin may answer the read from its own copy, which changes only when the store has acknowledged a write.)
 *
 * An account that holds a record is never overwritten. That record comes from an earlier call or from a login since, so
 * the old value is used up or obsolete: it is removed, for it would sign the user in again after the next logout.
 *
 * Call it before `createSession`, and make no session while it rejects: a logout would clear the account but not the old
 * value. A session that exists already takes the token over by itself; its `hydrate()` waits for that.
 *
 * @param source The key of an item in `localStorage`, or how to read and remove the old value.
 * @throws `SecureTokenError`. Unless `remove` failed half-way, the old value is still there then.
 * `invalid-argument`: it is not a token. `unavailable`: there is no key store, or none that outlives the app. `conflict`:
 * the account was cleared since the app started, or the old value changed during the call. `internal`: what was read back
 * is not what was written, or the old value is still there after its removal. Others are of the key store, such as `locked`.
 */
export function migrateFrom(source: string, options?: MigrationOptions<string>): Promise<Migration>;
export function migrateFrom<T>(source: MigrationSource<T>, options?: MigrationOptions<T>): Promise<Migration>;
export async function migrateFrom(
  source: string | MigrationSource<string>,
  options: MigrationOptions<string> = {},
): Promise<Migration> {
  if (typeof source !== 'string') return move(source, options);
  const item = {
    read: () => localStorage.getItem(source),
    remove: () => localStorage.removeItem(source),
  };
  return move(item, options);
}
