// The session as an app sees it: one of the views of a page.

import { ACCOUNT, check } from '../ipc/check.js';
import { SecureTokenError } from '../ipc/errors.js';
import { addListener, call, emit } from '../shared/emit.js';
import { areAsExpected, endOf, inspect, receive } from './receive.js';
import type { Session, SessionOptions, Snapshot } from './session-types.js';
import type { View, Viewer } from './view.js';
import { viewOf } from './views.js';

export type * from './session-types.js';

const invalid = (message: string) => new SecureTokenError('invalid-argument', message);

const raise = (fault: Error) => {
  throw fault;
};

/** Longer than this, and the owner would have given the lease to another page. */
const LONGEST_DEADLINE = 55_000;

/**
 * Shows the session of an account, which belongs to the app and not to the page: all windows show the same one.
 *
 * Logins and logouts show at once, before anybody else has heard of them. Outside Tauri the session lives in the memory of the
 * page, with one warning.
 *
 * @throws `SecureTokenError` `invalid-argument` for an account or a deadline that breaks the rules.
 */
export const createSession = (options: SessionOptions = {}): Session => sessionOf(options, viewOf);

/** A session that shows one of the views that `viewOf` has. */
export function sessionOf(options: SessionOptions, viewOf: (account: string) => View): Session {
  const {
    account = 'default',
    refresh,
    refreshDeadline = 30_000,
    isRefused,
    revoke,
    onSignedOut,
    onError,
  } = options;
  check({ account }, ACCOUNT);
  if (!(refreshDeadline > 0 && refreshDeadline <= LONGEST_DEADLINE))
    throw invalid('refreshDeadline must be more than 0 and at most 55000 milliseconds');
  const view = viewOf(account);
  const viewer: Viewer = {
    refresher: refresh && { refresh, deadline: refreshDeadline, isRefused, onError },
    revoke,
    report: (error) => call(onError, error as Error),
  };
  const listeners = new Set<(_: undefined) => void>();
  /** What a disposed session goes on to show. */
  let last: Snapshot | undefined;
  let wasSignedIn = false;

  const getSnapshot = () => last ?? view.snapshot;

  function look() {
    const { status } = view.snapshot;
    const hasEnded = wasSignedIn && status === 'signedOut';
    const { reason = 'elsewhere' } = view;
    // Before the listeners, since one of them may sign in again.
    if (/^signed/.test(status)) wasSignedIn = status === 'signedIn';
    emit(listeners, undefined);
    if (hasEnded) call(onSignedOut, reason);
  }

  // Reads the snapshot when called, so that a listener that changes the session leaves nobody behind.
  const listen = (fn: (snapshot: Snapshot) => void) => addListener(listeners, () => fn(getSnapshot()));

  function ready() {
    view.wake();
    return new Promise<Snapshot>((resolve) => {
      const settle = () => {
        if (getSnapshot().status === 'hydrating') return;
        end();
        resolve(getSnapshot());
      };
      const end = listen(settle);
      settle();
    });
  }

  view.attach(viewer);
  const unlook = addListener(view.listeners, look);
  look();

  return {
    getSnapshot,
    listen,
    subscribe(fn) {
      call(fn, getSnapshot());
      return listen(fn);
    },
    ready,
    async hydrate() {
      if (!last) await view.hydrate();
      return getSnapshot();
    },
    getToken: () => (last ? undefined : view.token),
    async freshToken({ minLife = 0 } = {}) {
      if (!(minLife >= 0)) throw invalid('minLife must be a number of milliseconds');
      view.refuseItself();
      await ready();
      return last ? undefined : view.freshToken(Math.min(Math.ceil(minLife), Number.MAX_SAFE_INTEGER));
    },
    async login(tokens, { remember } = {}) {
      if (last) throw invalid('this session was disposed: log in with a new one');
      const sent = receive(areAsExpected(tokens) ? tokens : await inspect(tokens, raise));
      await view.change({
        status: 'signedIn',
        token: sent.token,
        expiresAt: endOf(sent),
        canRefresh: !!(refresh && sent.refreshToken),
        send: (owner) => owner.signIn({ ...sent, remember }),
      });
      return getSnapshot();
    },
    async logout() {
      const change = { status: 'signedOut', canRefresh: false } as const;
      if (!last) await view.change({ ...change, send: (owner) => owner.signOut() }).catch(viewer.report);
      return getSnapshot();
    },
    async refresh(rejected, { accepted } = {}) {
      view.refuseItself();
      await ready();
      return last ? undefined : view.refresh(rejected, accepted);
    },
    retryAt: () => view.retryAt,
    dispose() {
      if (last) return;
      const { snapshot } = view;
      last =
        snapshot.status === 'hydrating' ? Object.freeze({ ...snapshot, status: 'unavailable' }) : snapshot;
      unlook();
      if (last !== snapshot) emit(listeners, undefined);
      listeners.clear();
      view.detach(viewer);
    },
  };
}
