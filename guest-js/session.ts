// The session: the token in memory, the store behind it, and which of two changes wins.

import { createAlarm } from './alarm.js';
import { check } from './check.js';
import { clearToken, getToken, setToken, type TokenRecord, watchTokens } from './commands.js';
import { emit } from './emit.js';
import { inTauri, type SecureTokenError } from './errors.js';

/** What a server answers to a login or a refresh. */
export interface Tokens {
  token: string;
  /** Absent after a refresh: the one before stays in use (RFC 6749 section 6). */
  refreshToken?: string;
  /** Lifetime in seconds from now (RFC 6749 section 5.1). Preferred, since it does not depend on the clock being right. */
  expiresIn?: number;
  /** The end of the lifetime in milliseconds since the Unix epoch. Ignored when it has passed already: a token that just arrived is not called expired because of a wrong clock. */
  expiresAt?: number;
}

export interface SessionOptions {
  /** Names the token of this session. Default: `"default"`. */
  account?: string;
  /**
   * Buys the next token. Called once for all that wait, with a copy of the record in memory.
   *
   * Reject with an object whose `status` is 401 or 403, whose `error` is `invalid_grant` (RFC 6749 section 5.2), or with
   * {@link SessionEnded}, to end the session. Any other rejection (no network, 429, 5xx) leaves it as it is.
   *
   * @param signal Aborted by login, logout and dispose.
   */
  refresh?: (current: TokenRecord, signal: AbortSignal) => Promise<Tokens>;
  /** Tells the server that the record is no longer in use (RFC 7009). Called last, when memory and store are empty. */
  revoke?: (record: TokenRecord) => Promise<void>;
  /** Hears every failure that no returned promise rejects with: of the store, the watch, `revoke` and a refresh in the background. */
  onError?: (error: Error) => void;
}

/**
 * - `hydrating`: the store has not answered yet.
 * - `signedOut`: there is no token.
 * - `signedIn`: a token is in memory.
 * - `unavailable`: the store could not be read, so nobody knows; see {@link Session.hydrate}.
 */
export type Status = 'hydrating' | 'signedOut' | 'signedIn' | 'unavailable';

/** What may be shown: frozen, and the same object until something changes. No token in it. */
export interface Snapshot {
  readonly status: Status;
  /** When the token expires, in milliseconds since the Unix epoch, if known. */
  readonly expiresAt?: number;
  /** Whether the store is known to hold what memory holds: the token, or nothing. */
  readonly persisted: boolean;
  /** Why the store does not, or could not be read. */
  readonly error?: SecureTokenError;
}

export interface Session {
  getSnapshot(): Snapshot;
  /** Calls `fn` after each change. Returns the function that ends it. */
  listen(fn: (snapshot: Snapshot) => void): () => void;
  /** Calls `fn` now and after each change. Returns the function that ends it. */
  subscribe(fn: (snapshot: Snapshot) => void): () => void;
  /** Settles when the status is not `hydrating`. Never rejects. */
  ready(): Promise<Snapshot>;
  /** Brings memory and store together again: call it when the store was unlocked or the window gets the focus. Never rejects. */
  hydrate(): Promise<Snapshot>;
  /** The token in memory. */
  getToken(): string | undefined;
  /**
   * Takes the tokens into memory at once, then stores them. Resolves when the store has answered; if it failed, the
   * snapshot says `persisted: false` with the error, and the write is tried again.
   *
   * @throws {@link SecureTokenError} `invalid-argument` or `too-large` for tokens that break the rules; nothing changes then.
   */
  login(tokens: Tokens): Promise<Snapshot>;
  /**
   * Empties memory at once, then the store, then calls {@link SessionOptions.revoke}. Resolves when the store has
   * answered, without waiting for the network. Never rejects: a failed clear is in the snapshot and is tried again.
   */
  logout(): Promise<Snapshot>;
  /**
   * Returns the token to use instead of `rejected` (default: the one in memory), or `undefined` when there is none.
   *
   * One refresh runs for all callers. A `rejected` token that was replaced already costs no refresh; one of an earlier
   * login gives `undefined`, so that no request is repeated as somebody else.
   *
   * @throws What {@link SessionOptions.refresh} rejected with, unless that ended the session.
   */
  refresh(rejected?: string): Promise<string | undefined>;
  /** Ends timers, watch and whatever is under way. A login or logout that was called before still reaches the store. */
  dispose(): void;
}

/** A refresh under way. */
interface Flight {
  held: TokenRecord;
  stop: AbortController;
  token?: Promise<string | undefined>;
}

let warned = false;

/** How many replaced tokens are remembered, for answers that arrive late. */
const PAST_TOKENS = 8;

/** The record of tokens that arrive now. */
function receive(tokens: Tokens, refreshTokenBefore?: string): TokenRecord {
  const now = Date.now();
  const expiresAt = Math.round(
    tokens.expiresIn ? now + tokens.expiresIn * 1000 : (tokens.expiresAt as number),
  );
  const record = {
    token: tokens.token,
    refreshToken: tokens.refreshToken || refreshTokenBefore,
    expiresAt: expiresAt > now ? expiresAt : undefined,
  };
  return check(record as TokenRecord, 5);
}

const isSame = (one?: TokenRecord | null, other?: TokenRecord) =>
  one?.token === other?.token &&
  one?.refreshToken === other?.refreshToken &&
  one?.expiresAt === other?.expiresAt;

/** Whether the server said that the grant is at its end, and not merely that something went wrong. */
function endsSession(cause: unknown): boolean {
  const { error, status } = Object(cause) as { error?: unknown; status?: unknown };
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
  const { account = 'default', onError } = options;
  const listeners = new Set<() => void>();

  /** Counts logins and logouts. NaN once disposed: it equals nothing, so nothing is committed any more. */
  let epoch = 0;
  let record: TokenRecord | undefined;
  /** Tokens of this login that were replaced, newest first. */
  let past: string[] = [];
  /** The revision that memory builds on; a write must not overwrite a newer one. Below 0: none, the write wins. */
  let revision = -1;
  /** Memory holds a change that the store does not. */
  let unsaved = !native;
  /** The store may hold a token that is used up or belongs to an earlier login. */
  let stale = false;
  /** The store has a newer revision that could not be read yet. */
  let behind = false;
  let failures = 0;
  let flight: Flight | undefined;
  let snapshot: Snapshot = Object.freeze({ status: native ? 'hydrating' : 'signedOut', persisted: false });
  /** The end of the queue of store calls: one at a time, so an older one cannot land after a newer one. */
  let queue: Promise<unknown> = Promise.resolve();

  const retryAt = createAlarm(() => void sync());
  const expireAt = createAlarm(() => {
    // Two windows that refresh at once would use one refresh token twice. Only one window has the focus.
    if (options.refresh && (globalThis.document?.hasFocus() ?? true)) refresh().catch(report);
  });

  const report = (error: unknown): undefined => {
    if (onError) emit([onError], error as Error);
  };

  const isLive = () => epoch >= 0;

  /** Returns a test whether memory is still what it is now. */
  const mark = () => {
    const at = epoch;
    const held = record;
    return () => at === epoch && held === record;
  };

  function publish(error?: SecureTokenError, withoutRecord: Status = 'signedOut') {
    const status = record ? 'signedIn' : withoutRecord;
    const expiresAt = record?.expiresAt;
    const next = {
      status,
      expiresAt,
      persisted: !unsaved && !behind && /^signed/.test(status),
      error,
    } as Snapshot;
    if (JSON.stringify(next) === JSON.stringify(snapshot)) return;
    if (expiresAt !== snapshot.expiresAt) expireAt(expiresAt);
    snapshot = Object.freeze(next);
    emit(listeners, undefined);
  }

  function fail(error: SecureTokenError, withoutRecord?: Status) {
    publish(error, withoutRecord);
    report(error);
    if ((unsaved || behind) && error.retryable) {
      retryAt(Date.now() + Math.min(500 * 2 ** failures++, 30_000) * (1 + Math.random()));
    }
  }

  function saved() {
    unsaved = stale = behind = false;
    failures = 0;
    publish();
  }

  function replace(next?: TokenRecord) {
    past = record && next ? [record.token, ...past].slice(0, PAST_TOKENS) : [];
    record = next;
  }

  /** Takes over what the store holds. */
  async function pull() {
    const still = mark();
    try {
      const stored = await getToken({ account });
      if (!still()) return;
      revision = stored?.revision ?? -1;
      // Compared by content: a write that timed out may have been carried out, and then has no revision of its own.
      if (!isSame(stored, record)) {
        const { revision: _, ...next } = stored ?? {};
        replace(stored ? (next as TokenRecord) : undefined);
      }
      saved();
    } catch (error) {
      if (still()) fail(error as SecureTokenError, 'unavailable');
    }
  }

  /** Brings the store to what memory holds. */
  async function push() {
    const still = mark();
    const at = epoch;
    const write = async (next?: TokenRecord) => {
      const target = { account, ...(revision >= 0 && { ifRevision: revision }) };
      const done = await (next ? setToken({ ...next, ...target }) : clearToken(target));
      if (at === epoch) revision = done.revision;
    };
    try {
      await write(record);
      if (still()) saved();
    } catch (error) {
      if (!still()) return;
      if ((error as SecureTokenError).code === 'conflict') return pull();
      if (record && stale) {
        // To be signed out at the next start is better than to come back with a token that is used up.
        await write().then(() => {
          stale = false;
        }, report);
      }
      if (still()) fail(error as SecureTokenError);
    } finally {
      // A disposed session has one try: a second could undo what its successor did.
      if (!isLive()) unsaved = false;
    }
  }

  /** Saves what is unsaved, else reads: when it is its turn, if that is still `wanted` by then. */
  const sync = async (wanted = () => unsaved || behind): Promise<Snapshot> => {
    if (native) {
      queue = queue.then<unknown>(() => wanted() && (unsaved ? push() : pull()));
      await queue;
    } else publish();
    return snapshot;
  };

  function change(next?: TokenRecord) {
    epoch++;
    flight?.stop.abort();
    record = undefined;
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
    replace(next);
    unsaved = true;
    return sync();
  }

  async function rotate(refresh: NonNullable<SessionOptions['refresh']>, own: Flight) {
    const still = mark();
    const at = epoch;
    try {
      const next = receive(await refresh({ ...own.held }, own.stop.signal), own.held.refreshToken);
      if (still()) {
        void commit(next);
        publish();
      } else if (at < epoch) {
        // Bought for a session that has ended since: nobody else will revoke it.
        revoke(next).catch(report);
      }
    } catch (cause) {
      if (still()) {
        if (!endsSession(cause)) throw cause;
        // Another window may have been faster: then the store refuses the clear and its record is taken over.
        await commit();
      }
    } finally {
      if (flight === own) flight = undefined;
    }
    return at === epoch ? record?.token : undefined;
  }

  const listen = (fn: (snapshot: Snapshot) => void) => {
    // Reads the snapshot when called, so that a listener that changes the session leaves nobody behind.
    const own = () => fn(snapshot);
    listeners.add(own);
    return () => void listeners.delete(own);
  };

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

  async function refresh(rejected?: string): Promise<string | undefined> {
    await ready();
    const held = record;
    if (!held || !options.refresh || !isLive()) return held?.token;
    if (rejected !== undefined && rejected !== held.token)
      return past.includes(rejected) ? held.token : undefined;
    if (flight?.held === held) return flight.token;
    const own: Flight = { held, stop: new AbortController() };
    flight = own;
    own.token = rotate(options.refresh, own);
    return own.token;
  }

  let watch: Promise<(() => void) | undefined> | undefined;
  if (native) {
    // The watch comes first: a change between the read and the watch would go unseen.
    queue = watch = watchTokens((notice) => {
      if (notice.account === account) void sync(() => (behind ||= notice.revision > revision));
    }).catch(report);
    void hydrate();
  } else if (!warned) {
    warned = true;
    console.warn('secure-token: no Tauri here, memory only');
  }

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
    login: async (tokens) => change(receive(tokens)),
    async logout() {
      const old = record;
      await change();
      if (old) revoke(old).catch(report);
      return snapshot;
    },
    refresh,
    dispose() {
      epoch = NaN;
      flight?.stop.abort();
      expireAt();
      retryAt();
      watch?.then((end) => end?.());
      if (snapshot.status === 'hydrating') publish(undefined, 'unavailable');
      listeners.clear();
    },
  };
}
