// P3: what happens when two things happen at once. Each test names the race that it guards.

import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Session, SessionOptions, Tokens } from '../../session/session.js';
import { FakeVault, rejection } from '../support/fake-vault.js';
import {
  type Deferred,
  deferred,
  freshPage,
  recordSnapshots,
  settle,
  snapshotOf,
  until,
  untilStatus,
} from '../support/helpers.js';

const OLD = { token: 't1', refreshToken: 'r1' };
const NEW = { token: 't2', refreshToken: 'r2' };
const OTHER = { token: 'u1', refreshToken: 's1' };

let createSession: typeof import('../../session/session.js').createSession;
let vault: FakeVault;

beforeEach(async () => {
  ({ createSession } = await freshPage());
  vault = new FakeVault({ default: OLD });
});

/** A signed-in session whose refresh has been sent and waits for `answer`. */
async function refreshing(options: SessionOptions = {}): Promise<{
  session: Session;
  answer: Deferred<Tokens>;
  refreshed: Promise<string | undefined>;
  refresh: ReturnType<typeof vi.fn>;
}> {
  const answer = deferred<Tokens>();
  const refresh = vi.fn(() => answer.promise);
  const session = createSession({ ...options, refresh });
  // A page that lives on would take what the next test leaves to be revoked.
  onTestFinished(session.dispose);
  await session.ready();
  const refreshed = session.refresh('t1');
  await until(() => expect(refresh).toHaveBeenCalledTimes(1));
  return { session, answer, refreshed, refresh };
}

describe('P3 a hydrate that started earlier does not undo', () => {
  it('a login: memory and store keep the new token', async () => {
    const open = vault.hold('get_token');
    const session = createSession();
    await until(() => expect(vault.count('get_token')).toBe(1));
    const login = session.login(NEW);
    expect(session.getSnapshot().status).toBe('signedIn');
    open();
    expect(await login).toEqual(snapshotOf({ status: 'signedIn', persisted: true }));
    expect(session.getToken()).toBe('t2');
    expect(vault.records.get('default')).toEqual(NEW);
  });

  it('a logout: memory and store stay empty', async () => {
    const open = vault.hold('get_token');
    const session = createSession();
    await until(() => expect(vault.count('get_token')).toBe(1));
    const logout = session.logout();
    open();
    expect(await logout).toEqual(snapshotOf({ status: 'signedOut', persisted: true }));
    expect(session.getToken()).toBeUndefined();
    expect(vault.records.size).toBe(0);
  });

  it.each(['login', 'logout'] as const)('a %s, when the read fails: nobody hears of it', async (change) => {
    const open = vault.hold('get_token');
    vault.fail('get_token', rejection('timeout'));
    const onError = vi.fn();
    const session = createSession({ onError });
    await until(() => expect(vault.count('get_token')).toBe(1));
    const seen = recordSnapshots(session);
    const changed = session[change](NEW);
    open();
    expect(await changed).toMatchObject({ persisted: true });
    expect(seen.map(({ status }) => status)).not.toContain('unavailable');
    expect(seen.map(({ error }) => error)).toEqual([undefined, undefined]);
    expect(onError).not.toHaveBeenCalled();
  });
});

describe('P3 a refresh that started earlier does not undo', () => {
  it('a logout: memory and store stay empty', async () => {
    const { session, answer, refreshed } = await refreshing();
    await session.logout();
    answer.resolve(NEW);
    expect(await refreshed).toBeUndefined();
    await settle();
    expect(session.getToken()).toBeUndefined();
    expect(session.getSnapshot()).toEqual(snapshotOf({ status: 'signedOut', persisted: true }));
    expect(vault.records.size).toBe(0);
    expect(vault.count('set_token')).toBe(0);
  });

  it('a logout whose clear is still under way', async () => {
    const { session, answer, refreshed } = await refreshing();
    const open = vault.hold('clear_token', 'before');
    const logout = session.logout();
    answer.resolve(NEW);
    expect(await refreshed).toBeUndefined();
    open();
    await logout;
    expect(vault.records.size).toBe(0);
    expect(vault.count('set_token')).toBe(0);
  });

  it('a logout then a login: the new login stays', async () => {
    const { session, answer, refreshed } = await refreshing();
    await session.logout();
    await session.login(OTHER);
    answer.resolve(NEW);
    // Not the token of the new login either: the waiting request belongs to the old one.
    expect(await refreshed).toBeUndefined();
    await settle();
    expect(session.getToken()).toBe('u1');
    expect(vault.records.get('default')).toEqual(OTHER);
  });

  it('a logout then a login with the very same token', async () => {
    const { session, answer, refreshed } = await refreshing();
    void session.logout();
    await session.login(OLD);
    answer.resolve(NEW);
    expect(await refreshed).toBeUndefined();
    await settle();
    expect(session.getToken()).toBe('t1');
    expect(vault.records.get('default')).toEqual(OLD);
  });

  it('a logout then a login, when the refresh is refused: the new login stays', async () => {
    const { session, answer, refreshed } = await refreshing();
    await session.logout();
    await session.login(OTHER);
    answer.reject({ error: 'invalid_grant' });
    expect(await refreshed).toBeUndefined();
    expect(session.getToken()).toBe('u1');
    expect(vault.records.get('default')).toEqual(OTHER);
  });

  it('a logout: the tokens it still brought are revoked, since nobody else knows them', async () => {
    const revoke = vi.fn(async () => {});
    const { session, answer, refreshed } = await refreshing({ revoke });
    await session.logout();
    answer.resolve(NEW);
    await refreshed;
    await until(() => expect(revoke.mock.calls).toMatchObject([[OLD], [NEW]]));
  });

  it('a logout or login: its signal is aborted', async () => {
    const signals: AbortSignal[] = [];
    const session = createSession({
      refresh: (_, { signal }) => {
        signals.push(signal);
        return new Promise((_, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason));
        });
      },
    });
    await session.ready();
    const first = session.refresh();
    await until(() => expect(signals.length).toBe(1));
    void session.login(OTHER);
    expect(await first).toBeUndefined();
    const second = session.refresh();
    await until(() => expect(signals.length).toBe(2));
    void session.logout();
    expect(await second).toBeUndefined();
    expect(signals.map((signal) => signal.aborted)).toEqual([true, true]);
  });

  it('a login in another window: that one stays, and what was bought is revoked', async () => {
    const revoke = vi.fn(async () => {});
    const { session, answer, refreshed } = await refreshing({ revoke });
    await (await vault.otherWindow()).signIn(OTHER);
    await until(() => expect(session.getToken()).toBe('u1'));
    answer.resolve(NEW);
    expect(await refreshed).toBeUndefined();
    await until(() => expect(revoke.mock.calls).toMatchObject([[OLD], [NEW]]));
    expect(vault.records.get('default')).toEqual(OTHER);
  });

  it('A17 a logout in another window: what was bought is revoked', async () => {
    const revoke = vi.fn(async () => {});
    const { session, answer, refreshed } = await refreshing({ revoke });
    await (await vault.otherWindow()).signOut();
    await untilStatus(session, 'signedOut');
    answer.resolve(NEW);
    expect(await refreshed).toBeUndefined();
    await until(() => expect(revoke.mock.calls).toMatchObject([[OLD], [NEW]]));
    expect(vault.records.size).toBe(0);
  });

  it('a logout in another window', async () => {
    const { session, answer, refreshed } = await refreshing();
    vault.change(undefined);
    await untilStatus(session, 'signedOut');
    answer.resolve(NEW);
    expect(await refreshed).toBeUndefined();
    await settle();
    expect(session.getToken()).toBeUndefined();
    expect(vault.records.size).toBe(0);
  });
});

describe('P9 a login whose token has to be fetched again', () => {
  it('is shown until that is here, and not what was before it', async () => {
    const session = createSession();
    await session.ready();
    const seen: (string | undefined)[] = [];
    session.listen(() => seen.push(session.getToken()));
    const open = vault.hold('session_token');
    const login = session.login(NEW);
    await until(() => expect(vault.records.get('default')).toEqual(NEW));
    await settle();
    expect(session.getToken()).toBe('t2');
    expect(await Promise.race([login, 'pending'])).toBe('pending');
    open();
    await login;
    expect(session.getToken()).toBe('t2');
    expect(new Set(seen)).toEqual(new Set(['t2']));
  });
});

describe('P3 a write that started earlier does not land after', () => {
  it('a logout: login, then logout while the store is slow', async () => {
    const session = createSession();
    await session.ready();
    const open = vault.hold('set_token', 'before');
    const login = session.login(NEW);
    await until(() => expect(vault.count('set_token')).toBe(1));
    const logout = session.logout();
    // Time for the second call to overtake the first, if it could.
    await settle();
    open();
    await Promise.all([login, logout]);
    await settle();
    expect(vault.records.size).toBe(0);
    expect(session.getSnapshot()).toEqual(snapshotOf({ status: 'signedOut', persisted: true }));
  });

  it('a login: two logins while the store is slow', async () => {
    const session = createSession();
    await session.ready();
    const open = vault.hold('set_token', 'before');
    const first = session.login(NEW);
    await until(() => expect(vault.count('set_token')).toBe(1));
    const second = session.login(OTHER);
    // Time for the second call to overtake the first, if it could.
    await settle();
    open();
    await Promise.all([first, second]);
    await settle();
    expect(vault.records.get('default')).toEqual(OTHER);
    expect(session.getToken()).toBe('u1');
  });

  it('a login: logout, then login while the store is slow', async () => {
    const session = createSession();
    await session.ready();
    const open = vault.hold('clear_token', 'before');
    const logout = session.logout();
    await until(() => expect(vault.count('clear_token')).toBe(1));
    const login = session.login(OTHER);
    // Time for the second call to overtake the first, if it could.
    await settle();
    open();
    await Promise.all([logout, login]);
    await settle();
    expect(vault.records.get('default')).toEqual(OTHER);
    expect(session.getSnapshot()).toEqual(snapshotOf({ status: 'signedIn', persisted: true }));
  });

  it('a login whose write fails late does not speak for the logout after it', async () => {
    const session = createSession();
    await session.ready();
    const open = vault.hold('set_token');
    vault.fail('set_token', rejection('locked'));
    const login = session.login(NEW);
    await until(() => expect(vault.count('set_token')).toBe(1));
    const logout = session.logout();
    open();
    expect((await login).status).toBe('signedOut');
    expect(await logout).toEqual(snapshotOf({ status: 'signedOut', persisted: true }));
    expect(vault.count('set_token')).toBe(1);
  });

  it('a login that lands late does not make the clear of the logout depend on its revision', async () => {
    const session = createSession();
    await session.ready();
    const open = vault.hold('set_token');
    const login = session.login(NEW);
    await until(() => expect(vault.count('set_token')).toBe(1));
    const logout = session.logout();
    vault.change(OTHER);
    open();
    await Promise.all([login, logout]);
    expect(session.getToken()).toBeUndefined();
    expect(vault.records.size).toBe(0);
    expect(vault.last('clear_token')).toEqual({ account: 'default' });
  });
});

describe('P3 clear and a change in another window', () => {
  it('a change of another window during a logout brings nothing back', async () => {
    const session = createSession();
    await session.ready();
    const open = vault.hold('clear_token', 'before');
    const logout = session.logout();
    vault.change(OTHER);
    open();
    await logout;
    await settle();
    expect(session.getSnapshot()).toEqual(snapshotOf({ status: 'signedOut', persisted: true }));
    expect(session.getToken()).toBeUndefined();
    expect(vault.records.size).toBe(0);
  });

  it('a logout that the store refused is tried again by hydrate, which does not sign in', async () => {
    const session = createSession();
    await session.ready();
    vault.fail('clear_token', rejection('denied'));
    await session.logout();
    expect(await session.hydrate()).toEqual(snapshotOf({ status: 'signedOut', persisted: true }));
    expect(session.getToken()).toBeUndefined();
    expect(vault.records.size).toBe(0);
  });

  it('a login in another window after the logout is taken over', async () => {
    const session = createSession();
    await session.ready();
    await session.logout();
    vault.change(OTHER);
    await untilStatus(session, 'signedIn');
    expect(session.getToken()).toBe('u1');
  });
});
