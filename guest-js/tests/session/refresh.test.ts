// Refresh: one flight for all, whose token it answers for, and what ends a session.

import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { TokenRecord } from '../../ipc/commands.js';
import { SessionEnded } from '../../ipc/errors.js';
import type { RefreshTools, Tokens } from '../../session/session.js';
import { type FakeVault, rejection } from '../support/fake-vault.js';
import { deferred, settle, snapshotOf, until, untilPersisted } from '../support/helpers.js';
import { keyStore, signedInPage, withStore } from '../support/project.js';

let createSession: typeof import('../../session/session.js').createSession;
let vault: FakeVault;

beforeEach(async () => {
  ({ createSession, vault } = await signedInPage({ token: 't1', refreshToken: 'r1' }));
});

/** Answers t2/r2, t3/r3 and so on. */
function rotation() {
  let turn = 1;
  return vi.fn(async (_current: TokenRecord, _tools: RefreshTools): Promise<Tokens> => {
    turn++;
    return { token: `t${turn}`, refreshToken: `r${turn}` };
  });
}

describe('one flight', () => {
  it.each([2, 100])('%i callers with the same rejected token: one refresh', async (callers) => {
    const refresh = rotation();
    const session = createSession({ refresh });
    await session.ready();
    const answers = await Promise.all(Array.from({ length: callers }, () => session.refresh('t1')));
    expect(new Set(answers)).toEqual(new Set(['t2']));
    expect(refresh).toHaveBeenCalledTimes(1);
    expect(refresh.mock.calls[0]?.[0]).toEqual({ token: 't1', refreshToken: 'r1' });
  });

  it('callers with and without a token share it', async () => {
    const refresh = rotation();
    const session = createSession({ refresh });
    expect(await Promise.all([session.refresh(), session.refresh('t1'), session.refresh()])).toEqual(
      Array(3).fill('t2'),
    );
    expect(refresh).toHaveBeenCalledTimes(1);
  });

  withStore('waits for hydrate', async () => {
    const open = vault.hold('get_token');
    const refresh = rotation();
    const session = createSession({ refresh });
    const refreshed = session.refresh();
    await settle();
    expect(refresh).not.toHaveBeenCalled();
    open();
    expect(await refreshed).toBe('t2');
  });

  it('a late rejection of a replaced token costs no refresh', async () => {
    const refresh = rotation();
    const session = createSession({ refresh });
    await session.ready();
    await session.refresh('t1');
    expect(await session.refresh('t1')).toBe('t2');
    await session.refresh('t2', { accepted: true });
    expect(await Promise.all([session.refresh('t1'), session.refresh('t2')])).toEqual(['t3', 't3']);
    expect(refresh).toHaveBeenCalledTimes(2);
  });

  withStore('a late rejection of a token that another window replaced costs no refresh', async () => {
    const refresh = rotation();
    const session = createSession({ refresh });
    await session.ready();
    await vault.refreshElsewhere({ token: 't9', refreshToken: 'r9' });
    await until(() => expect(session.getToken()).toBe('t9'));
    expect(await session.refresh('t1')).toBe('t9');
    expect(refresh).not.toHaveBeenCalled();
  });

  it('a late rejection from an earlier login gives nothing: no request is repeated as somebody else', async () => {
    const refresh = rotation();
    const session = createSession({ refresh });
    await session.ready();
    await session.refresh('t1');
    await session.logout();
    await session.login({ token: 'u1' });
    expect(await Promise.all([session.refresh('t1'), session.refresh('t2')])).toEqual([undefined, undefined]);
    expect(refresh).toHaveBeenCalledTimes(1);
    expect(session.getToken()).toBe('u1');
  });

  it('a failed flight is not kept: the next call tries again', async () => {
    const refresh = rotation();
    refresh.mockRejectedValueOnce(new TypeError('Failed to fetch'));
    const session = createSession({ refresh });
    await expect(session.refresh()).rejects.toThrow('Failed to fetch');
    expect(await session.refresh()).toBe('t2');
  });

  it('a refresh that throws at once is not kept either', async () => {
    const refresh = rotation();
    refresh.mockImplementationOnce(() => {
      throw new Error('a bug of the app');
    });
    const session = createSession({ refresh });
    await expect(session.refresh()).rejects.toThrow('a bug of the app');
    expect(await session.refresh()).toBe('t2');
  });

  it('an old flight that ends does not end the one after it', async () => {
    const answers = [deferred<Tokens>(), deferred<Tokens>()];
    const refresh = vi.fn(() => (answers[refresh.mock.calls.length - 1] as (typeof answers)[0]).promise);
    const session = createSession({ refresh });
    await session.ready();
    const first = session.refresh();
    await until(() => expect(refresh).toHaveBeenCalledTimes(1));
    await session.login({ token: 'u1' });
    const second = session.refresh('u1');
    await until(() => expect(refresh).toHaveBeenCalledTimes(2));
    answers[0]?.resolve({ token: 't2' });
    await first;
    const third = session.refresh('u1');
    answers[1]?.resolve({ token: 'u2' });
    expect(await Promise.all([second, third])).toEqual(['u2', 'u2']);
    expect(refresh).toHaveBeenCalledTimes(2);
  });
});

describe('what a refresh brings', () => {
  withStore('P8 is in the store before anybody is told', async () => {
    const session = createSession({ refresh: async () => ({ token: 't2', refreshToken: 'r2' }) });
    await session.ready();
    const open = vault.hold('set_token', 'before');
    const refreshed = session.refresh();
    await until(() => expect(vault.count('set_token')).toBe(1));
    expect(session.getToken()).toBe('t1');
    open();
    expect(await refreshed).toBe('t2');
    expect(session.getToken()).toBe('t2');
    expect(session.getSnapshot()).toEqual(snapshotOf({ status: 'signedIn', persisted: true }));
    expect(vault.records.get('default')).toEqual({ token: 't2', refreshToken: 'r2' });
  });

  withStore('without a refresh token: the one before stays', async () => {
    const session = createSession({ refresh: async () => ({ token: 't2' }) });
    await session.refresh();
    await untilPersisted(session);
    expect(vault.records.get('default')).toEqual({ token: 't2', refreshToken: 'r1' });
  });

  it('the callback gets a copy, so it cannot change memory', async () => {
    const session = createSession({
      refresh: async (current) => {
        current.token = 'changed';
        throw new Error('no network');
      },
    });
    await session.refresh().catch(() => {});
    expect(session.getToken()).toBe('t1');
  });

  it('without a token is an error that leaves the session as it is', async () => {
    const session = createSession({ refresh: async () => ({ access_token: 't2' }) as never });
    await expect(session.refresh()).rejects.toMatchObject({ code: 'invalid-argument' });
    expect(session.getToken()).toBe('t1');
    expect(session.getSnapshot()).toEqual(snapshotOf({ status: 'signedIn', persisted: keyStore }));
  });

  it('without a refresh option there is none to use instead, and the token stays what it is', async () => {
    const session = createSession();
    expect(await session.refresh('t1')).toBeUndefined();
    expect(session.getToken()).toBe('t1');
    expect(vault.count('set_token')).toBe(0);
  });

  it('signed out: nothing', async () => {
    const refresh = rotation();
    const session = createSession({ refresh });
    await session.ready();
    await session.logout();
    expect(await session.refresh()).toBeUndefined();
    expect(await session.refresh('t1')).toBeUndefined();
    expect(refresh).not.toHaveBeenCalled();
  });
});

describe('what ends a session', () => {
  it.each([
    ['invalid_grant', Object.assign(new Error('400'), { status: 400, error: 'invalid_grant' })],
    ['401', { status: 401 }],
    ['403', { status: 403 }],
    ['SessionEnded', new SessionEnded()],
    ['a Response with 401', new Response('', { status: 401 })],
    [
      'an error with a response of 403, as ky has',
      Object.assign(new Error('403'), { response: new Response('', { status: 403 }) }),
    ],
  ])('%s: memory and store are empty', async (_, cause) => {
    const session = createSession({ refresh: () => Promise.reject(cause) });
    await session.ready();
    expect(await session.refresh('t1')).toBeUndefined();
    expect(session.getSnapshot()).toEqual(snapshotOf({ status: 'signedOut', persisted: keyStore }));
    expect(session.getToken()).toBeUndefined();
    if (keyStore) expect(vault.records.size).toBe(0);
  });

  it.each([
    ['no network', new TypeError('Failed to fetch')],
    ['a timeout', new DOMException('', 'TimeoutError')],
    ['429', { status: 429 }],
    ['500', { status: 500 }],
    ['503', Object.assign(new Error('503'), { status: 503, error: 'temporarily_unavailable' })],
    ['400 for another reason', { status: 400, error: 'invalid_request' }],
    ['invalid_client', { status: 400, error: 'invalid_client' }],
    ['an error with a response of 503', { response: new Response('', { status: 503 }) }],
    ['nothing at all', undefined],
  ])('not %s: the rejection is passed on', async (_, cause) => {
    const session = createSession({ refresh: () => Promise.reject(cause) });
    await session.ready();
    const [first, second] = await Promise.allSettled([session.refresh('t1'), session.refresh('t1')]);
    expect(first).toEqual({ status: 'rejected', reason: cause });
    expect(second).toEqual(first);
    expect(session.getSnapshot()).toEqual(snapshotOf({ status: 'signedIn', persisted: keyStore }));
    expect(session.getToken()).toBe('t1');
    expect(vault.records.get('default')).toEqual({ token: 't1', refreshToken: 'r1' });
  });

  withStore('also when the store cannot be cleared: memory is empty, the clear is tried again', async () => {
    vi.useFakeTimers();
    const session = createSession({ refresh: () => Promise.reject({ status: 401 }) });
    await session.ready();
    vault.fail('clear_token', rejection('locked'));
    expect(await session.refresh()).toBeUndefined();
    expect(session.getToken()).toBeUndefined();
    expect(session.getSnapshot()).toMatchObject({
      status: 'signedOut',
      persisted: false,
      error: { code: 'locked' },
    });
    await vi.advanceTimersByTimeAsync(1000);
    expect(session.getSnapshot()).toEqual(snapshotOf({ status: 'signedOut', persisted: true }));
    expect(vault.records.size).toBe(0);
  });
});
