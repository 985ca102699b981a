// The session in calm weather: snapshots, listeners, hydrate, login, logout, dispose.

import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { Session, Snapshot } from '../../session/session.js';
import { FakeVault, rejection } from '../support/fake-vault.js';
import {
  deferred,
  freshPage,
  recordSnapshots,
  settle,
  snapshotOf,
  until,
  untilPersisted,
  untilStatus,
} from '../support/helpers.js';

let createSession: typeof import('../../session/session.js').createSession;

beforeEach(async () => {
  ({ createSession } = await freshPage());
});

describe('hydrate', () => {
  it('fills memory from the store', async () => {
    const expiresAt = Date.now() + 60_000;
    new FakeVault({ default: { token: 't1', refreshToken: 'r1', expiresAt } });
    const session = createSession();
    expect(session.getSnapshot()).toEqual(snapshotOf({ status: 'hydrating', persisted: false }));
    expect(session.getToken()).toBeUndefined();
    expect(await session.ready()).toEqual(snapshotOf({ status: 'signedIn', expiresAt, persisted: true }));
    expect(session.getToken()).toBe('t1');
  });

  it('finds nothing', async () => {
    new FakeVault();
    const session = createSession();
    expect(await session.ready()).toEqual(snapshotOf({ status: 'signedOut', persisted: true }));
  });

  it('reads the account it was made for', async () => {
    const vault = new FakeVault({ default: { token: 'no' }, 'ada@work': { token: 'yes' } });
    const session = createSession({ account: 'ada@work' });
    await session.ready();
    expect(session.getToken()).toBe('yes');
    await session.logout();
    expect(vault.records.get('default')).toEqual({ token: 'no' });
    expect(vault.records.has('ada@work')).toBe(false);
  });

  it('again with the same record changes nothing', async () => {
    new FakeVault({ default: { token: 't1' } });
    const session = createSession();
    const snapshot = await session.ready();
    expect(await session.hydrate()).toBe(snapshot);
  });
});

describe('P1 a store that cannot answer is not a signed-out user', () => {
  it.each(['locked', 'unavailable', 'denied', 'lost', 'corrupt', 'forbidden', 'timeout'] as const)(
    '%s at the start: unavailable, and nothing is written',
    async (code) => {
      const vault = new FakeVault({ default: { token: 't1' } });
      const onError = vi.fn();
      vault.fail('get_token', rejection(code));
      const session = createSession({ onError });
      expect(await session.ready()).toMatchObject({
        status: 'unavailable',
        persisted: false,
        error: { code },
      });
      expect(onError.mock.calls).toMatchObject([[{ code }]]);
      expect(vault.count('set_token') + vault.count('clear_token')).toBe(0);
      expect(vault.records.get('default')).toEqual({ token: 't1' });
    },
  );

  it('locked at the start, then unlocked: hydrate recovers', async () => {
    const vault = new FakeVault({ default: { token: 't1' } });
    vault.fail('get_token', rejection('locked'));
    const session = createSession();
    await session.ready();
    const seen = recordSnapshots(session);
    expect(await session.hydrate()).toEqual(snapshotOf({ status: 'signedIn', persisted: true }));
    expect(seen.map(({ status }) => status)).toEqual(['hydrating', 'signedIn']);
    expect(session.getToken()).toBe('t1');
  });

  it('ready does not wait for the store once somebody signed in', async () => {
    const vault = new FakeVault();
    vault.hold('get_token');
    const session = createSession();
    const ready = session.ready();
    void session.login({ token: 't1' });
    expect((await ready).status).toBe('signedIn');
  });

  it('ready waits for a hydrate that is tried again', async () => {
    const vault = new FakeVault({ default: { token: 't1' } });
    vault.fail('get_token', rejection('locked'));
    const session = createSession();
    await session.ready();
    const open = vault.hold('get_token');
    void session.hydrate();
    const ready = session.ready();
    open();
    expect((await ready).status).toBe('signedIn');
  });

  it('a read that fails later keeps the token in memory', async () => {
    const vault = new FakeVault({ default: { token: 't1' } });
    const session = createSession();
    await session.ready();
    vault.fail('get_token', rejection('locked'));
    expect(await session.hydrate()).toEqual(snapshotOf({ status: 'signedIn', persisted: true }));
    expect(session.getToken()).toBe('t1');
    expect(await session.hydrate()).toEqual(snapshotOf({ status: 'signedIn', persisted: true }));
  });

  it('logout while unavailable still clears the store', async () => {
    const vault = new FakeVault({ default: { token: 't1' } });
    vault.fail('get_token', rejection('timeout'));
    const session = createSession();
    await session.ready();
    expect(await session.logout()).toEqual(snapshotOf({ status: 'signedOut', persisted: true }));
    expect(vault.records.size).toBe(0);
    expect(vault.last('clear_token')).toEqual({ account: 'default' });
  });

  it('a write of another window that timed out and was carried out all the same is found by hydrate', async () => {
    const vault = new FakeVault({ default: { token: 't1' } });
    const session = createSession();
    await session.ready();
    // Neither a revision nor a notice.
    vault.records.set('default', { token: 't2' });
    expect(await session.hydrate()).toEqual(snapshotOf({ status: 'signedIn', persisted: true }));
    expect(session.getToken()).toBe('t2');
  });

  it('login while unavailable works', async () => {
    const vault = new FakeVault();
    vault.fail('get_token', rejection('corrupt'));
    const session = createSession();
    await session.ready();
    expect(await session.login({ token: 't1' })).toEqual(snapshotOf({ status: 'signedIn', persisted: true }));
  });
});

describe('login', () => {
  it('is in memory at once and in the store when it resolves', async () => {
    const vault = new FakeVault();
    const session = createSession();
    await session.ready();
    const login = session.login({ token: 't1', refreshToken: 'r1' });
    expect(session.getToken()).toBe('t1');
    expect(session.getSnapshot()).toEqual(snapshotOf({ status: 'signedIn', persisted: false }));
    expect(await login).toEqual(snapshotOf({ status: 'signedIn', persisted: true }));
    expect(vault.records.get('default')).toEqual({ token: 't1', refreshToken: 'r1' });
  });

  it('replaces what another window wrote meanwhile: no revision is demanded', async () => {
    const vault = new FakeVault({ default: { token: 't1' } });
    const session = createSession();
    await session.ready();
    await session.login({ token: 't2' });
    expect(vault.last('set_token')).not.toHaveProperty('ifRevision');
  });

  it.each([
    ['token', { token: '' }],
    ['token', { token: undefined }],
    ['token', { access_token: 't' }],
    ['refreshToken', { token: 't', refreshToken: 42 }],
  ])('bad tokens are refused and change nothing: %s', async (field, tokens) => {
    const vault = new FakeVault({ default: { token: 't1' } });
    const session = createSession();
    const before = await session.ready();
    const error = await session.login(tokens as never).catch((error) => error);
    expect(error).toMatchObject({ code: 'invalid-argument' });
    expect(error.message).toContain(field);
    expect(session.getSnapshot()).toBe(before);
    expect(session.getToken()).toBe('t1');
    expect(vault.count('set_token')).toBe(0);
  });

  it.each([null, ''])('a refresh token of %j is none', async (refreshToken) => {
    const vault = new FakeVault();
    const session = createSession();
    await session.login({ token: 't', refreshToken: refreshToken as never });
    expect(vault.records.get('default')).toEqual({ token: 't' });
  });
});

describe('logout', () => {
  it('memory first, store second, revoke last', async () => {
    const vault = new FakeVault({ default: { token: 't1', refreshToken: 'r1' } });
    const steps: string[] = [];
    const session: Session = createSession({
      revoke: async (record) => {
        steps.push(
          `revoke ${record.refreshToken}, stored ${vault.records.size}, memory ${session.getToken()}`,
        );
      },
    });
    await session.ready();
    const open = vault.hold('clear_token', 'before');
    const logout = session.logout();
    expect(session.getToken()).toBeUndefined();
    expect(session.getSnapshot()).toEqual(snapshotOf({ status: 'signedOut', persisted: false }));
    await settle();
    expect(steps).toEqual([]);
    open();
    expect(await logout).toEqual(snapshotOf({ status: 'signedOut', persisted: true }));
    await until(() => expect(steps).toEqual(['revoke r1, stored 0, memory undefined']));
  });

  it('offline: a failed revoke is reported and restores nothing', async () => {
    const vault = new FakeVault({ default: { token: 't1' } });
    const onError = vi.fn();
    const offline = new TypeError('Failed to fetch');
    const session = createSession({ onError, revoke: () => Promise.reject(offline) });
    await session.ready();
    expect(await session.logout()).toEqual(snapshotOf({ status: 'signedOut', persisted: true }));
    await until(() => expect(onError.mock.calls).toEqual([[offline]]));
    expect(session.getToken()).toBeUndefined();
    expect(vault.records.size).toBe(0);
    expect(session.getSnapshot()).toEqual(snapshotOf({ status: 'signedOut', persisted: true }));
  });

  it('a revoke that throws at once is reported too', async () => {
    new FakeVault({ default: { token: 't1' } });
    const onError = vi.fn();
    const session = createSession({
      onError,
      revoke: () => {
        throw new Error('a bug of the app');
      },
    });
    await session.ready();
    await session.logout();
    await until(() => expect(onError).toHaveBeenCalledTimes(1));
  });

  it('does not wait for a network that does not answer', async () => {
    new FakeVault({ default: { token: 't1' } });
    const session = createSession({ revoke: () => deferred<void>().promise });
    await session.ready();
    expect(await session.logout()).toEqual(snapshotOf({ status: 'signedOut', persisted: true }));
  });

  it('revokes nothing when nobody was signed in', async () => {
    new FakeVault();
    const revoke = vi.fn(async () => {});
    const session = createSession({ revoke });
    await session.ready();
    await session.logout();
    expect(revoke).not.toHaveBeenCalled();
  });

  it('a listener that throws does not keep the store from being cleared', async () => {
    const vault = new FakeVault({ default: { token: 't1' } });
    const session = createSession();
    await session.ready();
    const reported = vi.spyOn(globalThis, 'queueMicrotask').mockImplementation(() => {});
    session.listen(() => {
      throw new Error('a bug of the app');
    });
    await session.logout();
    expect(vault.records.size).toBe(0);
    expect(reported.mock.calls[0]?.[0]).toThrow('a bug of the app');
  });
});

describe('snapshots', () => {
  it('are frozen and keep their identity until something changes', async () => {
    new FakeVault();
    const session = createSession();
    const first = await session.ready();
    expect(Object.isFrozen(first)).toBe(true);
    expect(session.getSnapshot()).toBe(first);
    const signedIn = await session.login({ token: 't1' });
    expect(Object.isFrozen(signedIn)).toBe(true);
    expect(signedIn).not.toBe(first);
    expect(session.getSnapshot()).toBe(signedIn);
  });

  it('listen calls after each change and never before', async () => {
    new FakeVault();
    const session = createSession();
    await session.ready();
    const listener = vi.fn();
    const end = session.listen(listener);
    expect(listener).not.toHaveBeenCalled();
    await session.login({ token: 't1' });
    expect(listener.mock.calls.map(([snapshot]) => snapshot.persisted)).toEqual([false, true]);
    end();
    await session.logout();
    expect(listener).toHaveBeenCalledTimes(2);
  });

  it('subscribe calls at once and synchronously', async () => {
    new FakeVault();
    const session = createSession();
    const listener = vi.fn();
    const end = session.subscribe(listener);
    expect(listener.mock.calls).toEqual([[session.getSnapshot()]]);
    await session.ready();
    expect(listener).toHaveBeenCalledTimes(2);
    end();
    await session.login({ token: 't1' });
    expect(listener).toHaveBeenCalledTimes(2);
  });

  it('a listener that changes the session leaves every listener with the newest snapshot', async () => {
    new FakeVault();
    const session = createSession();
    await session.ready();
    session.listen(({ status }) => {
      if (status === 'signedIn') void session.logout();
    });
    let last: Snapshot | undefined;
    session.listen((snapshot) => {
      last = snapshot;
    });
    await session.login({ token: 't1' });
    expect(last).toBe(session.getSnapshot());
    expect(last?.status).toBe('signedOut');
  });
});

describe('windows stay in step', () => {
  it('a login in another window signs this one in', async () => {
    const vault = new FakeVault();
    const session = createSession();
    await session.ready();
    vault.change({ token: 't2' });
    await untilStatus(session, 'signedIn');
    expect(session.getToken()).toBe('t2');
    expect(session.getSnapshot().persisted).toBe(true);
  });

  it('a window that may not open the session says so, and nobody waits for ever', async () => {
    vi.spyOn(console, 'warn').mockImplementation(() => {});
    const vault = new FakeVault({ default: { token: 't1' } });
    vault.fail('session_open', 'Command plugin:secure-token|session_open not allowed by ACL');
    const onError = vi.fn();
    const session = createSession({ onError });
    expect(await session.ready()).toMatchObject({ status: 'unavailable', error: { code: 'forbidden' } });
    expect(onError.mock.calls).toMatchObject([[{ code: 'forbidden' }]]);
    expect(await session.hydrate()).toMatchObject({ status: 'signedIn' });
  });

  it('a window that may not have a token shows the session all the same', async () => {
    vi.spyOn(console, 'warn').mockImplementation(() => {});
    const vault = new FakeVault({ default: { token: 't1' } });
    vault.fail('session_token', 'Command plugin:secure-token|session_token not allowed by ACL', Infinity);
    const session = createSession();
    expect(await session.ready()).toMatchObject({ status: 'signedIn' });
    expect(session.getToken()).toBeUndefined();
    expect(await session.freshToken()).toBeUndefined();
    expect(await session.logout()).toMatchObject({ status: 'signedOut' });
  });

  it('a window that may not sign in or out says so and changes nothing', async () => {
    vi.spyOn(console, 'warn').mockImplementation(() => {});
    const vault = new FakeVault({ default: { token: 't1' } });
    const session = createSession();
    await session.ready();
    vault.fail('session_sign_in', 'Command plugin:secure-token|session_sign_in not allowed by ACL');
    vault.fail('session_sign_out', 'Command plugin:secure-token|session_sign_out not allowed by ACL');
    await expect(session.login({ token: 'u1' })).rejects.toMatchObject({ code: 'forbidden' });
    expect(session.getToken()).toBe('t1');
    expect(await session.logout()).toMatchObject({ status: 'signedIn', error: { code: 'forbidden' } });
    expect(session.getToken()).toBe('t1');
  });

  it('a logout in another window signs this one out, without a second revoke', async () => {
    const vault = new FakeVault({ default: { token: 't1' } });
    const revoke = vi.fn(async () => {});
    const session = createSession({ revoke });
    await session.ready();
    vault.change(undefined);
    await untilStatus(session, 'signedOut');
    expect(session.getToken()).toBeUndefined();
    expect(vault.count('clear_token')).toBe(0);
    expect(revoke).not.toHaveBeenCalled();
  });

  it('a change before the read of the start is done is not missed', async () => {
    const vault = new FakeVault();
    const open = vault.hold('get_token');
    const session = createSession();
    await until(() => expect(vault.count('get_token')).toBe(1));
    vault.change({ token: 't2' });
    open();
    await untilStatus(session, 'signedIn');
    expect(session.getToken()).toBe('t2');
  });

  it('a change before the session is open is not missed', async () => {
    const vault = new FakeVault({ default: { token: 't1' } });
    const open = vault.hold('session_open', 'before');
    const session = createSession();
    await settle();
    vault.change({ token: 't2' });
    open();
    await session.ready();
    expect(session.getToken()).toBe('t2');
  });

  it('changes of other accounts are not for it', async () => {
    const vault = new FakeVault();
    const session = createSession();
    await session.ready();
    vault.change({ token: 't2' }, 'other');
    await settle();
    expect(vault.count('get_token')).toBe(1);
  });
});

describe('dispose', () => {
  it('ends the listeners', async () => {
    const vault = new FakeVault({ default: { token: 't1' } });
    const session = createSession();
    await session.ready();
    const listener = vi.fn();
    session.listen(listener);
    session.dispose();
    await settle();
    vault.change({ token: 't2' });
    await settle();
    expect(listener).not.toHaveBeenCalled();
    expect(vault.count('get_token')).toBe(1);
  });

  it('while hydrating: what is read is dropped, and nobody waits for ever', async () => {
    const vault = new FakeVault({ default: { token: 't1' } });
    const open = vault.hold('get_token');
    const session = createSession();
    const ready = session.ready();
    session.dispose();
    open();
    expect((await ready).status).toBe('unavailable');
    expect(session.getToken()).toBeUndefined();
  });

  it('a hydrate afterwards changes nothing, and nobody waits for ever', async () => {
    const vault = new FakeVault({ default: { token: 't1' } });
    vault.fail('get_token', rejection('locked'));
    const session = createSession();
    const snapshot = await session.ready();
    session.dispose();
    expect(await session.hydrate()).toBe(snapshot);
    expect(await session.ready()).toBe(snapshot);
    expect(session.getToken()).toBeUndefined();
  });

  it('P8 while refreshing: what it brings still reaches the owner', async () => {
    const vault = new FakeVault({ default: { token: 't1', refreshToken: 'r1' } });
    const tokens = deferred<{ token: string }>();
    const refresh = vi.fn(() => tokens.promise);
    const session = createSession({ refresh });
    await session.ready();
    void session.refresh();
    await until(() => expect(refresh).toHaveBeenCalled());
    session.dispose();
    tokens.resolve({ token: 't2' });
    await until(() => expect(vault.records.get('default')).toEqual({ token: 't2', refreshToken: 'r1' }));
    expect(session.getToken()).toBeUndefined();
  });

  it('starts no refresh afterwards', async () => {
    new FakeVault({ default: { token: 't1' } });
    const refresh = vi.fn(async () => ({ token: 't2' }));
    const session = createSession({ refresh });
    await session.ready();
    session.dispose();
    expect(await session.refresh('t1')).toBeUndefined();
    expect(refresh).not.toHaveBeenCalled();
  });

  it('A22 a login afterwards rejects, and writes nothing', async () => {
    const vault = new FakeVault();
    const session = createSession();
    await session.ready();
    session.dispose();
    await expect(session.login({ token: 't1' })).rejects.toMatchObject({ code: 'invalid-argument' });
    await session.logout();
    expect(vault.records.size).toBe(0);
    expect(vault.countSession('session_sign_in') + vault.countSession('session_sign_out')).toBe(0);
  });

  it('a login just before still reaches the store', async () => {
    const vault = new FakeVault();
    const session = createSession();
    await session.ready();
    const login = session.login({ token: 't1' });
    session.dispose();
    await login;
    expect(vault.records.get('default')).toEqual({ token: 't1' });
  });
});

describe('several sessions of a page', () => {
  it('of one account share one channel, and show the same in the same moment', async () => {
    const vault = new FakeVault({ default: { token: 't1' } });
    const sessions = [createSession(), createSession()] as const;
    await Promise.all(sessions.map(untilPersisted));
    expect(vault.countSession('session_open')).toBe(1);
    void sessions[0].logout();
    expect(sessions[1].getSnapshot()).toBe(sessions[0].getSnapshot());
    expect(sessions[1].getSnapshot().status).toBe('signedOut');
  });

  it('of two accounts know nothing of each other', async () => {
    new FakeVault({ one: { token: 'a' }, two: { token: 'b' } });
    const sessions = [createSession({ account: 'one' }), createSession({ account: 'two' })];
    await Promise.all(sessions.map(untilPersisted));
    expect(sessions.map((session) => session.getToken())).toEqual(['a', 'b']);
  });

  it('A13 two of one account, as hot reload and strict mode leave behind: one refresh', async () => {
    new FakeVault({ default: { token: 't1', refreshToken: 'r1' } });
    const refresh = vi.fn(async () => ({ token: 't2', refreshToken: 'r2' }));
    const sessions = [createSession({ refresh }), createSession({ refresh })];
    await Promise.all(sessions.map(untilPersisted));
    expect(await Promise.all(sessions.map((session) => session.refresh('t1')))).toEqual(['t2', 't2']);
    expect(refresh).toHaveBeenCalledTimes(1);
  });

  it('one that comes after the last was disposed of has the token again', async () => {
    new FakeVault({ default: { token: 't1' } });
    const first = createSession();
    await first.ready();
    first.dispose();
    const second = createSession();
    expect(await second.ready()).toMatchObject({ status: 'signedIn' });
    expect(second.getToken()).toBe('t1');
    expect(first.getToken()).toBeUndefined();
  });
});

it('A21 a listener that another one removes during a change is not called', async () => {
  new FakeVault();
  const session = createSession();
  await session.ready();
  const removed = vi.fn();
  session.listen(() => end());
  const end = session.listen(removed);
  await session.login({ token: 't1' });
  expect(removed).not.toHaveBeenCalled();
});
