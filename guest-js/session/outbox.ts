// Keeps in the key store what could not be revoked yet, until it is. Opt-in, since a token outlives its logout there.

import { ACCOUNT, check } from '../ipc/check.js';
import { clearToken, getToken, setToken, type TokenRecord } from '../ipc/commands.js';
import { inTauri, SecureTokenError } from '../ipc/errors.js';
import { createAlarm } from '../shared/alarm.js';
import { call } from '../shared/emit.js';
import { type Entry, entriesIn, outboxOf, tokenOf } from './outbox-form.js';
import { retryDelay } from './retry-delay.js';

/** What {@link createOutbox} takes. */
export interface OutboxOptions {
  /** The account of the session. Its outbox is the account of that name behind `revoke-outbox/`. Default: `"default"`. */
  account?: string | undefined;
  /**
   * Tells the server that the record is no longer in use (RFC 7009). Give it a timeout: one is under way at a time.
   *
   * A rejection is tried again, unless its `status`, or that of its `response`, is 4xx other than 408 and 429: the server
   * has decided then, and the record is dropped. `Retry-After` is handed over as in `SessionOptions.refresh`. It may be
   * called more than once for a record, by two windows for instance.
   */
  revoke: (record: TokenRecord) => Promise<void>;
  /**
   * After how many seconds a record is dropped: the lifetime of your refresh tokens. Default: 30 days. A record without a
   * refresh token is dropped when it expires, if that is earlier.
   */
  maxAge?: number | undefined;
  /** Hears every failure that no returned promise rejects with: of the store, and what `revoke` rejected with, as it is. */
  onError?: ((error: Error) => void) | undefined;
}

/** Revokes, and keeps what could not be revoked. Its methods work detached from the object. */
export interface Outbox {
  /**
   * Stores the record, calls {@link OutboxOptions.revoke}, and removes the record: give this to `SessionOptions.revoke`. It
   * is stored first, since an app is often closed after a logout. If it cannot be stored it is still revoked.
   *
   * @throws What {@link OutboxOptions.revoke} rejected with. It is tried again then, also at the next start.
   */
  revoke(record: TokenRecord): Promise<void>;
  /** Ends the timer. What is stored stays for the next start. */
  dispose(): void;
}

const isDefinite = (cause: unknown) => {
  const { response, status = response?.status } = Object(cause);
  return /^4(?!08|29)\d\d$/.test(status);
};

/**
 * Opens the outbox of a session and begins with what an earlier run left in it. Nothing in it is ever a token of a session.
 *
 * Outside Tauri there is no outbox: records are revoked, and not kept.
 *
 * @throws `SecureTokenError` `invalid-argument` for an account of over 498 bytes, or with control characters, and for a
 * `maxAge` that is no number of seconds.
 */
export function createOutbox(options: OutboxOptions): Outbox {
  const { maxAge = 30 * 86_400, onError } = options;
  if (!(Number.isFinite(maxAge) && maxAge >= 0))
    throw new SecureTokenError('invalid-argument', 'maxAge is not valid');
  const { account } = check({ account: outboxOf(options.account ?? 'default') }, ACCOUNT);
  let isOpen = true;
  let failures = 0;
  /** The ends of the queues of store calls and of deliveries: one at a time, and no store call waits for the network. */
  let changes: Promise<unknown> = Promise.resolve();
  let deliveries: Promise<unknown> = changes;

  const report = (error: unknown) => call(onError, error as Error);

  /** Replaces the stored entries by what `change` makes of them, without those whose time is over. */
  async function update(change: (entries: Entry[]) => Entry[]): Promise<Entry[]> {
    const stored = await getToken({ account });
    const before = stored ? entriesIn(stored.token) : [];
    const after = change(before).filter(({ until }) => until > Date.now());
    const token = tokenOf(after);
    const target = { account, ...(stored && { ifRevision: stored.revision }) };
    try {
      if (token !== (stored ? stored.token : tokenOf([])))
        await (after.length ? setToken({ ...target, token }) : clearToken(target));
      return after;
    } catch (error) {
      if ((error as { code: string }).code !== 'conflict') throw error;
      return update(change);
    }
  }

  function change(make: (entries: Entry[]) => Entry[] = (entries) => entries): Promise<Entry[]> {
    const result = changes.then(() => update(make));
    changes = Promise.allSettled([result]);
    return result;
  }

  /** Tries every entry once. Rejects with the failure of `own`, and reports the others. */
  async function deliverAll(own?: string) {
    let ownFailure: { cause: unknown } | undefined;
    let delay = 0;
    for (const { until, ...record } of await change()) {
      try {
        await options.revoke(record);
      } catch (cause) {
        if (record.token === own) ownFailure = { cause };
        else report(cause);
        if (!isDefinite(cause)) {
          delay = Math.max(delay, retryDelay(cause, failures));
          continue;
        }
      }
      await change((entries) => entries.filter(({ token }) => token !== record.token)).catch(report);
    }
    failures = delay ? failures + 1 : 0;
    if (isOpen) retryAt(delay ? Date.now() + delay : undefined);
    if (ownFailure) throw ownFailure.cause;
  }

  function deliver(own?: string): Promise<void> {
    const result = deliveries.then(() => deliverAll(own));
    deliveries = Promise.allSettled([result]);
    return result;
  }

  const retryAt = createAlarm(() => void deliver().catch(report));

  async function revoke(record: TokenRecord): Promise<void> {
    const { token, refreshToken, expiresAt = Infinity } = record;
    const oldest = Date.now() + maxAge * 1000;
    const entry = { ...record, until: refreshToken ? oldest : Math.min(oldest, expiresAt) };
    // What is over already is not kept. The clock may be wrong, so the server is still told.
    if (!inTauri() || entry.until <= Date.now()) return options.revoke(record);
    try {
      await change((entries) => [...entries.filter((other) => other.token !== token), entry]);
    } catch (error) {
      report(error);
      return options.revoke(record);
    }
    return deliver(token);
  }

  if (inTauri()) deliver().catch(report);
  return {
    revoke,
    dispose() {
      isOpen = false;
      retryAt();
    },
  };
}
