// The session: the token in memory, the store behind it, and which of two changes wins.

import { clearToken, getToken, setToken, type TokenRecord, watchTokens } from '../ipc/commands.js';
import { inTauri, type SecureTokenError } from '../ipc/errors.js';
import { addListener, emit } from '../shared/emit.js';
import { tellOnce } from '../shared/tell-once.js';
import { areAsExpected, inspect, receive } from './receive.js';
import { retryDelay } from './retry-delay.js';
import type { Session, SessionOptions, SignedOutReason, Snapshot, Status } from './session-types.js';

export type * from './session-types.js';

/** A refresh under way, or the last one if it failed. */
interface Flight {
  held: TokenRecord;
  stop: AbortController;
  /** How often the refresh of this record failed before. */
  failures: number;
  /** When it failed, and for how many milliseconds it answers for others. Under way: for all that come. */
  failedAt: number;
  rest: number;
  token?: Promise<string | undefined>;
}

/** How many replaced tokens are remembered, for answers that arrive late. */
const PAST_TOKENS = 8;

/** For how many milliseconds a token that arrived is not called expired. */
const MINIMUM_USE = 10_000;

const raise = (fault: Error) => {
  throw fault;
};

const isSame = (one?: TokenRecord | null, other?: TokenRecord) =>
  one?.token === other?.token &&
  one?.refreshToken === other?.refreshToken &&
  one?.expiresAt === other?.expiresAt;

/** Whether the server said that the grant is at its end, and not merely that something went wrong. */
function endsSession(cause: unknown): boolean {
  const { error, response, status = response?.status } = Object(cause);
  return error === 'invalid_grant' || status === 401 || status === 403;
}

/**
 * Starts the session of an account and reads the store.
 *
 * Every login and logout bumps an epoch in its first step, and whatever was under way compares it after each `await`: what
 * started before cannot undo it. Outside Tauri the session works in memory only, with one warning.
 */
export function createSession(options: SessionOptions = {}): Session {
  const native = inTauri();
  const { account = 'default', onError, onSignedOut } = options;
  const listeners = new Set<(_: undefined) => void>();

  /** Counts logins and logouts. NaN once disposed: it equals nothing, so nothing is committed any more. */
  let epoch = 0;
  let record: TokenRecord | undefined;
  /** Tokens of this login that were replaced, newest first. */
  let past: string[] = [];
  /** The revision that memory builds on; a write must not overwrite a newer one. Below 0: none, the write wins. */
  let revision = -1;
  /** What the store held at that revision. */
  let atRest: TokenRecord | undefined;
  /** A write of this session may have happened: the revision may be newer although nobody else has written. */
  let inDoubt = false;
  /** Memory holds a change that the store does not. */
  let unsaved = !native;
  /** The store holds a change of another window that could not be read yet. */
  let unread = false;
  /** The store may hold a token that is used up or belongs to an earlier login. */
  let stale = false;
  let failures = 0;
  let retry: ReturnType<typeof setTimeout> | undefined;
  /** When the last token of a login or refresh arrived. */
  let received = 0;
  let flight: Flight | undefined;
  /** Why the session is at its end, if it is at the next snapshot. None: nobody is signed in. */
  let ending: SignedOutReason | undefined;
  let snapshot: Snapshot = Object.freeze({ status: native ? 'hydrating' : 'signedOut', persisted: false });
  /** The end of the queue of store calls: one at a time, so an older one cannot land after a newer one. */
  let queue: Promise<unknown> = Promise.resolve();

  const report = (error: unknown): undefined => {
    emit([onError], error as Error);
  };

  /** The old token may be used up, so the new one must not be thrown away for a fault of what came with it. */
  const complain = (fault: SecureTokenError) => {
    tellOnce('tokens', `refresh: ${fault.message}`);
    report(fault);
  };

  const isLive = () => epoch >= 0;

  /** Memory and store are known to differ. */
  const isApart = () => unsaved || unread;

  /** Returns a test whether memory is still what it is now. */
  const mark = () => {
    const at = epoch;
    const held = record;
    return () => at === epoch && held === record;
  };

  function publish(error?: SecureTokenError, withoutRecord: Status = 'signedOut') {
    const status = record ? 'signedIn' : withoutRecord;
    const persisted = !isApart() && /^signed/.test(status);
    const next = { status, expiresAt: record?.expiresAt, persisted, error } as Snapshot;
    if (JSON.stringify(next) === JSON.stringify(snapshot)) return;
    snapshot = Object.freeze(next);
    const ended = status === 'signedOut' ? ending : undefined;
    // First, since a listener may sign in again.
    if (ended) ending = undefined;
    emit(listeners, undefined);
    if (ended) emit([onSignedOut], ended);
  }

  function fail(error: SecureTokenError, withoutRecord?: Status) {
    publish(error, withoutRecord);
    report(error);
    if (isApart() && error.retryable) {
      clearTimeout(retry);
      retry = setTimeout(sync, Math.min(500 * 2 ** failures++, 30_000) * (1 + Math.random()));
    }
  }

  function saved() {
    unsaved = unread = stale = inDoubt = false;
    failures = 0;
    publish();
  }

  function replace(next?: TokenRecord) {
    past = record && next ? [record.token, ...past].slice(0, PAST_TOKENS) : [];
    record = next;
    if (next) ending = 'elsewhere';
  }

  /** Takes over what the store holds. Resolves with `true` if that is still what an unsaved change builds on. */
  async function pull(): Promise<boolean> {
    const still = mark();
    try {
      const stored = await getToken({ account });
      if (!still()) return false;
      revision = stored?.revision ?? -1;
      if (inDoubt && unsaved && isSame(stored, atRest)) return true;
      const { revision: _, ...next } = stored ?? {};
      atRest = stored ? (next as TokenRecord) : undefined;
      // Compared by content: a write of this session may have been carried out although it failed.
      if (!isSame(atRest, record)) replace(atRest);
      saved();
    } catch (error) {
      if (still()) fail(error as SecureTokenError, 'unavailable');
    }
    return false;
  }

  /** Asks the store for the record, or to remove it, if it is still at `revision`. */
  async function write(next?: TokenRecord) {
    const at = epoch;
    const target = { account, ...(revision >= 0 && { ifRevision: revision }) };
    try {
      const done = await (next ? setToken({ ...next, ...target }) : clearToken(target));
      if (at !== epoch) return;
      revision = done.revision;
      atRest = next;
    } catch (error) {
      if (at === epoch) inDoubt ||= /^(timeout|unavailable|internal)$/.test((error as SecureTokenError).code);
      throw error;
    }
  }

  /** Brings the store to what memory holds. */
  async function push(isRepeated?: boolean): Promise<void> {
    const still = mark();
    try {
      await write(record);
      if (still()) saved();
    } catch (error) {
      if (!still()) return;
      if ((error as SecureTokenError).code === 'conflict') {
        if ((await pull()) && still() && !isRepeated) await push(true);
        return;
      }
      if (record && stale) {
        // To be signed out at the next start is better than to come back with a token that is used up.
        if (inDoubt && revision >= 0 && !(await pull())) return;
        await write().then(() => {
          if (still()) stale = false;
        }, report);
      }
      if (still()) fail(error as SecureTokenError);
    } finally {
      // A disposed session has one try: a second could undo what its successor did.
      if (!isLive()) unsaved = false;
    }
  }

  /** Saves what is unsaved, else reads: when it is its turn, if that is still `wanted` by then. */
  const sync = async (wanted = isApart): Promise<Snapshot> => {
    if (native) {
      queue = queue.then<unknown>(() => wanted() && (unsaved ? push() : pull()));
      await queue;
    } else publish();
    return snapshot;
  };

  function change(next?: TokenRecord) {
    epoch++;
    flight?.stop.abort();
    flight = record = undefined;
    received = Date.now();
    replace(next);
    unsaved = stale = true;
    revision = -1;
    failures = 0;
    publish();
    return sync();
  }

  const revoke = async (old: TokenRecord) => options.revoke?.(old);

  /** Puts what a refresh brought into memory; the store follows. */
  function commit(next?: TokenRecord) {
    stale ||= next?.refreshToken !== record?.refreshToken;
    flight = undefined;
    received = Date.now();
    replace(next);
    unsaved = true;
    return sync();
  }

  async function rotate(refresh: NonNullable<SessionOptions['refresh']>, own: Flight) {
    const still = mark();
    const at = epoch;
    try {
      const tokens = await refresh({ ...own.held }, own.stop.signal);
      const next = receive(
        areAsExpected(tokens) ? tokens : await inspect(tokens, complain),
        own.held.refreshToken,
      );
      if (still()) {
        void commit(next);
        publish();
      } else if (at < epoch) {
        // Bought for a session that has ended since: nobody else will revoke it.
        revoke(next).catch(report);
      }
    } catch (cause) {
      if (still()) {
        if (!endsSession(cause)) {
          import('./refresh-hint.js').then(({ hintAtFailure }) => hintAtFailure(cause)).catch(report);
          own.failedAt = Date.now();
          own.rest = retryDelay(cause, own.failures);
          throw cause;
        }
        ending = 'refused';
        // Another window may have been faster: then the store refuses the clear and its record is taken over.
        await commit();
      }
    }
    return at === epoch ? record?.token : undefined;
  }

  // Reads the snapshot when called, so that a listener that changes the session leaves nobody behind.
  const listen = (fn: (snapshot: Snapshot) => void) => addListener(listeners, () => fn(snapshot));

  const ready = () =>
    new Promise<Snapshot>((resolve) => {
      const settle = () => {
        if (snapshot.status === 'hydrating') return;
        end();
        resolve(snapshot);
      };
      const end = listen(settle);
      settle();
    });

  function hydrate() {
    if (snapshot.status === 'unavailable' && isLive()) publish(undefined, 'hydrating');
    return sync(() => true);
  }

  /** Until when the last refresh of what memory holds answers for all. Infinity: it is under way. 0: no more. */
  function restsUntil(): number {
    if (!flight || flight.held !== record) return 0;
    const age = Date.now() - flight.failedAt;
    // Below 0: the clock was set back, and nobody knows how long ago it was.
    return age >= 0 && age < flight.rest ? flight.failedAt + flight.rest : 0;
  }

  async function refresh(rejected?: string): Promise<string | undefined> {
    await ready();
    const held = record;
    if (!held || !options.refresh || !isLive()) return held?.token;
    if (rejected !== undefined && rejected !== held.token)
      return past.includes(rejected) ? held.token : undefined;
    const rest = restsUntil();
    if (rest && (rejected !== undefined || rest === Infinity)) return flight?.token;
    const own: Flight = {
      held,
      stop: new AbortController(),
      failures: flight?.held === held ? flight.failures + 1 : 0,
      failedAt: 0,
      rest: Infinity,
    };
    flight = own;
    own.token = rotate(options.refresh, own);
    return own.token;
  }

  async function freshToken() {
    await ready();
    const old = record?.token;
    const isOver = Date.now() >= Math.max(record?.expiresAt ?? Infinity, received + MINIMUM_USE);
    return isOver ? refresh(old).catch(() => old) : old;
  }

  let watch: Promise<(() => void) | undefined> | undefined;
  if (native) {
    // The watch comes first: a change between the read and the watch would go unseen.
    queue = watch = watchTokens((notice) => {
      if (notice.account !== account) return;
      void sync(() => {
        unread ||= notice.revision > revision;
        // The notice may be of the write that failed here: that is tried again later, and not at once.
        return unread && !(unsaved && inDoubt);
      });
    }).catch(report);
    void hydrate();
  } else tellOnce('memory', 'no Tauri here, memory only');

  return {
    getSnapshot: () => snapshot,
    listen,
    subscribe(fn) {
      emit([fn], snapshot);
      return listen(fn);
    },
    ready,
    hydrate,
    getToken: () => record?.token,
    freshToken,
    login: async (tokens) => change(receive(areAsExpected(tokens) ? tokens : await inspect(tokens, raise))),
    async logout() {
      const old = record;
      ending &&= 'logout';
      await change();
      if (old) revoke(old).catch(report);
      return snapshot;
    },
    refresh,
    retryAt() {
      const rest = restsUntil();
      return rest && rest < Infinity ? rest : undefined;
    },
    dispose() {
      epoch = NaN;
      flight?.stop.abort();
      clearTimeout(retry);
      watch?.then((end) => end?.());
      if (snapshot.status === 'hydrating') publish(undefined, 'unavailable');
      listeners.clear();
    },
  };
}
