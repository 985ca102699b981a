// Several windows of one app: the cases that pages with a state machine each got wrong.

import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { TokenRecord } from '../../ipc/commands.js';
import type { Session, Snapshot, Tokens } from '../../session/session.js';
import { FakeVault, rejection } from '../support/fake-vault.js';
import { settle, until, untilStatus } from '../support/helpers.js';
import { openWindow, type Window } from '../support/windows.js';

const OLD = { token: 't1', refreshToken: 'r1' };

let vault: FakeVault;
let windows: [Window, Window];

beforeEach(async () => {
  vault = new FakeVault({ default: OLD });
  windows = [await openWindow(vault), await openWindow(vault)];
});

/** A server whose refresh tokens work once: the second use ends the family. */
function oneTimeServer() {
  const used = new Set<string>();
  let turn = 1;
  const refresh = vi.fn(async ({ refreshToken = '' }: TokenRecord): Promise<Tokens> => {
    if (used.has(refreshToken)) throw { status: 400, error: 'invalid_grant' };
    used.add(refreshToken);
    turn++;
    return { token: `t${turn}`, refreshToken: `r${turn}` };
  });
  return { refresh };
}

async function sessions(options: Parameters<Window['createSession']>[0] = {}): Promise<[Session, Session]> {
  const [one, two] = windows.map((window) => window.createSession(options)) as [Session, Session];
  await Promise.all([one.ready(), two.ready()]);
  return [one, two];
}

it('A4 P8 two windows start with an expired token: one refresh, nobody is signed out', async () => {
  vault.records.set('default', { ...OLD, expiresAt: Date.now() - 1 });
  const { refresh } = oneTimeServer();
  const [one, two] = await sessions({ refresh });
  const tokens = await Promise.all([one.freshToken(), two.freshToken(), one.freshToken(), two.freshToken()]);
  expect(tokens).toEqual(Array(4).fill('t2'));
  expect(refresh).toHaveBeenCalledTimes(1);
  expect(two.getToken()).toBe('t2');
});

it('P8 fifty 401s in each of two windows, again and again: one refresh each', async () => {
  const { refresh } = oneTimeServer();
  const both = await sessions({ refresh });
  for (let turn = 1; turn < 20; turn++) {
    const rejected = `t${turn}`;
    const next = await Promise.all(
      both.flatMap((session) =>
        Array.from({ length: 50 }, () => session.refresh(rejected, { accepted: true })),
      ),
    );
    expect(new Set(next)).toEqual(new Set([`t${turn + 1}`]));
    expect(refresh).toHaveBeenCalledTimes(turn);
  }
  expect(vault.records.get('default')).toEqual({ token: 't20', refreshToken: 'r20' });
});

it('A5 P8 a page that is left during its refresh, and whose request fails for that, says nothing', async () => {
  let fail = (_: Error) => {};
  const cutOff = vi.fn(
    () =>
      new Promise<Tokens>((_, reject) => {
        fail = reject;
      }),
  );
  const one = windows[0].createSession({ refresh: cutOff });
  const refresh = vi.fn(async () => ({ token: 't2', refreshToken: 'r2' }));
  const two = windows[1].createSession({ refresh });
  await Promise.all([one.ready(), two.ready()]);
  one.refresh('t1').catch(() => {});
  await until(() => expect(cutOff).toHaveBeenCalled());
  const waiting = two.refresh('t1');
  await settle();
  windows[0].happens('beforeunload', false);
  fail(new TypeError('Load failed'));
  await settle();
  windows[0].close();
  expect(await waiting).toBe('t2');
});

it('a page that stays although it was to be left tells of a failure', async () => {
  vi.useFakeTimers();
  try {
    const [one] = await sessions({ refresh: async () => Promise.reject(new TypeError('Load failed')) });
    windows[0].happens('beforeunload', false);
    const refused = expect(one.refresh('t1')).rejects.toThrow('Load failed');
    await vi.advanceTimersByTimeAsync(5000);
    await refused;
  } finally {
    vi.useRealTimers();
  }
});

it('A5 P8 a page that is left during its refresh: the next that waits gets the lease', async () => {
  const lost = vi.fn(() => new Promise<Tokens>(() => {}));
  const one = windows[0].createSession({ refresh: lost });
  const refresh = vi.fn(async () => ({ token: 't2', refreshToken: 'r2' }));
  const two = windows[1].createSession({ refresh });
  await Promise.all([one.ready(), two.ready()]);
  void one.refresh('t1');
  await until(() => expect(lost).toHaveBeenCalled());
  const waiting = two.refresh('t1');
  await settle();
  expect(refresh).not.toHaveBeenCalled();
  windows[0].close();
  expect(await waiting).toBe('t2');
  expect(vault.records.get('default')).toEqual({ token: 't2', refreshToken: 'r2' });
});

it('a window without a refresh gets the token that another one buys for it', async () => {
  const refresh = vi.fn(async () => ({ token: 't2', refreshToken: 'r2' }));
  const one = windows[0].createSession({ refresh });
  const two = windows[1].createSession();
  await Promise.all([one.ready(), two.ready()]);
  expect(two.getSnapshot().canRefresh).toBe(true);
  expect(await two.refresh('t1')).toBe('t2');
  expect(refresh).toHaveBeenCalledTimes(1);
});

it('a refresh that fails in one window fails in the other, and rests there too', async () => {
  const refresh = vi.fn(() => Promise.reject({ status: 503, retryAfter: 60 }));
  const [one, two] = await sessions({ refresh });
  const [first, second] = await Promise.allSettled([one.refresh('t1'), two.refresh('t1')]);
  expect([first, second]).toMatchObject([{ status: 'rejected' }, { status: 'rejected' }]);
  await expect(two.refresh('t1')).rejects.toMatchObject({ code: 'unavailable', retryable: true });
  await expect(one.refresh('t1')).rejects.toMatchObject({ status: 503 });
  expect(refresh).toHaveBeenCalledTimes(1);
  expect(two.retryAt()).toBe(one.retryAt());
});

it('P8 a refresh whose page never answers ends after a minute, and the next one gets it', async () => {
  vi.useFakeTimers();
  // Its deadline is longer than the page is awake.
  const lost = vi.fn(() => new Promise<Tokens>(() => {}));
  const one = windows[0].createSession({ refresh: lost, refreshDeadline: 55_000 });
  const two = windows[1].createSession({ refresh: async () => ({ token: 't2', refreshToken: 'r2' }) });
  await Promise.all([one.ready(), two.ready()]);
  vault.hold('session_answer', 'before');
  one.refresh('t1').catch(() => {});
  await until(() => expect(lost).toHaveBeenCalled());
  const waiting = two.refresh('t1');
  await vi.advanceTimersByTimeAsync(61_000);
  expect(await waiting).toBe('t2');
});

describe('A2 P9 another window logs in as somebody else', () => {
  it.each([
    ['with another token', { token: 'u1', refreshToken: 's1' }],
    ['with no expiry and the same status', { token: 'u1' }],
  ])('%s: listeners hear of it, and a late 401 is not repeated', async (_, tokens) => {
    const { refresh } = oneTimeServer();
    const [one, two] = await sessions({ refresh });
    const seen: Snapshot[] = [];
    const onSignedOut = vi.fn();
    two.listen((snapshot) => seen.push(snapshot));
    const before = two.getSnapshot();
    await one.login(tokens);
    await until(() => expect(two.getToken()).toBe('u1'));
    expect(seen.at(-1)?.status).toBe('signedIn');
    expect(two.getSnapshot().login).toBeGreaterThan(before.login);
    expect(await two.refresh('t1')).toBeUndefined();
    expect(refresh).not.toHaveBeenCalled();
    expect(onSignedOut).not.toHaveBeenCalled();
  });

  it('the snapshot is never of one login and the token of another', async () => {
    const [one, two] = await sessions();
    const seen: (string | undefined)[] = [];
    const logins = new Map<number, string | undefined>();
    two.listen(({ login, status }) => {
      seen.push(two.getToken());
      expect(two.getToken() !== undefined).toBe(status === 'signedIn');
      expect(logins.get(login) ?? two.getToken()).toBe(two.getToken());
      logins.set(login, two.getToken());
    });
    for (let turn = 0; turn < 5; turn++) {
      await one.login({ token: `u${turn}` });
      await until(() => expect(two.getToken()).toBe(`u${turn}`));
    }
    expect(seen).toContain('u4');
  });
});

it('A1 P9 without a refresh option, a 401 of the login before gets no token', async () => {
  const [session] = await sessions();
  await session.logout();
  await session.login({ token: 'u1' });
  expect(await session.refresh('t1')).toBeUndefined();
  expect(session.getToken()).toBe('u1');
});

it('a login reaches the other window within three calls of the bridge', async () => {
  const [one, two] = await sessions();
  const before = vault.sessionCalls.length;
  const login = one.login({ token: 'u1' });
  await until(() => expect(two.getToken()).toBe('u1'));
  await login;
  // The login, and each window fetches the token.
  expect(vault.sessionCalls.slice(before).map(({ command }) => command)).toEqual([
    'session_sign_in',
    'session_token',
    'session_token',
  ]);
});

describe('A3 P3 the back-forward cache', () => {
  it('a page that comes back after a logout elsewhere: signed out before it answers anything', async () => {
    const [one, two] = await sessions();
    windows[1].happens('pagehide', true);
    expect(two.getToken()).toBeUndefined();
    await one.logout();
    const seen: string[] = [];
    two.listen(({ status }) => seen.push(status));
    windows[1].happens('pageshow', true);
    expect(two.getSnapshot().status).toBe('hydrating');
    expect(await two.freshToken()).toBeUndefined();
    expect(two.getSnapshot().status).toBe('signedOut');
    expect(seen).toEqual(['hydrating', 'signedOut']);
  });

  it('it is in step again', async () => {
    const [one, two] = await sessions();
    windows[1].happens('pagehide', true);
    windows[1].happens('pageshow', true);
    expect(await two.freshToken()).toBe('t1');
    await one.login({ token: 'u1' });
    await until(() => expect(two.getToken()).toBe('u1'));
  });

  it('P6 a call whose response went to the page in between does not wait for ever', async () => {
    const [, two] = await sessions({ refresh: () => new Promise<Tokens>(() => {}) });
    vault.hold('session_sign_in', 'before');
    const login = two.login({ token: 'u1' });
    await settle();
    windows[1].happens('pagehide', true);
    windows[1].happens('pageshow', true);
    await expect(login).rejects.toMatchObject({ code: 'unavailable' });
    expect((await two.ready()).status).toBe('signedIn');
    expect(two.getToken()).toBe('t1');
  });

  it('a pagehide that no pageshow follows leaves nobody waiting', async () => {
    const [, two] = await sessions();
    windows[1].happens('pagehide', false);
    expect(await two.freshToken()).toBe('t1');
  });
});

describe('A18 what a login or logout leaves is revoked', () => {
  it.each(['login', 'logout'] as const)('%s while hydrating', async (change) => {
    const open = vault.hold('get_token');
    const revoke = vi.fn(async () => {});
    const session = windows[0].createSession({ revoke });
    await until(() => expect(vault.count('get_token')).toBe(1));
    const done = session[change]({ token: 'u1' });
    open();
    await done;
    await until(() => expect(revoke.mock.calls).toEqual([[OLD]]));
  });

  it('login over login', async () => {
    const revoke = vi.fn(async () => {});
    const [one] = await sessions({ revoke });
    await one.login({ token: 'u1' });
    await until(() => expect(revoke.mock.calls).toEqual([[OLD]]));
  });

  it('in one window, when both could', async () => {
    const revoke = vi.fn(async () => {});
    const [one, two] = await sessions({ revoke });
    await one.logout();
    await untilStatus(two, 'signedOut');
    await until(() => expect(revoke).toHaveBeenCalled());
    await settle();
    expect(revoke.mock.calls).toEqual([[OLD]]);
  });
});

it('A15 no key store, and the page is reloaded: signed in as long as the app runs', async () => {
  for (const command of ['get_token', 'set_token', 'clear_token'] as const)
    vault.fail(command, rejection('unavailable'), Infinity);
  const session = windows[0].createSession();
  expect((await session.ready()).status).toBe('unavailable');
  expect(await session.login({ token: 'u1' })).toMatchObject({
    status: 'signedIn',
    persisted: false,
    error: { code: 'unavailable' },
  });
  windows[0].close();
  const reloaded = (await openWindow(vault)).createSession();
  expect(await reloaded.ready()).toMatchObject({ status: 'signedIn', persisted: false });
  expect(reloaded.getToken()).toBe('u1');
});

describe('A16 a store that cannot be read', () => {
  it('a request rejects with its error instead of going out without a token', async () => {
    vault.fail('get_token', rejection('locked'));
    const session = windows[0].createSession();
    await expect(session.freshToken()).rejects.toMatchObject({ code: 'locked', retryable: true });
    await expect(session.refresh('t1')).rejects.toMatchObject({ code: 'locked' });
    await session.hydrate();
    expect(await session.freshToken()).toBe('t1');
  });
});
