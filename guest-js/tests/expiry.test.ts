// Expiry: the deadline counts from receipt, is decided on demand, and its timer is only a help.

import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { Tokens } from '../session.js';
import { deferred, settle } from './helpers.js';
import { keyStore, signedInPage, withStore } from './project.js';

const NOW = Date.UTC(2026, 0, 1);
const DAY = 86_400_000;

beforeEach(() => {
  vi.useFakeTimers({ now: NOW });
});

describe('the deadline', () => {
  it.each<[string, Omit<Tokens, 'token'>, number | undefined]>([
    ['expiresIn counts seconds from receipt', { expiresIn: 60 }, NOW + 60_000],
    [
      'expiresIn goes before expiresAt, since a server clock may differ',
      { expiresIn: 60, expiresAt: NOW + 5 },
      NOW + 60_000,
    ],
    ['a fraction becomes whole milliseconds', { expiresIn: 0.0015 }, NOW + 2],
    ['expiresAt is taken as it is', { expiresAt: NOW + 1 }, NOW + 1],
    [
      'expiresAt in the past says that a clock is wrong, not that the token is old',
      { expiresAt: NOW - 1 },
      undefined,
    ],
    ['expiresIn of 0 says nothing', { expiresIn: 0 }, undefined],
    ['a negative expiresIn says nothing', { expiresIn: -60 }, undefined],
    ['no lifetime', {}, undefined],
  ])('%s', async (_, lifetime, expiresAt) => {
    const { createSession, vault } = await signedInPage({ token: 't0' });
    const session = createSession();
    await session.ready();
    expect((await session.login({ token: 't1', ...lifetime })).expiresAt).toBe(expiresAt);
    if (keyStore) expect(vault.records.get('default')?.expiresAt).toBe(expiresAt);
  });

  it('of a refresh counts from its answer, not from its start', async () => {
    const { createSession } = await signedInPage({ token: 't1' });
    const answer = deferred<Tokens>();
    const session = createSession({ refresh: () => answer.promise });
    await session.ready();
    const refreshed = session.refresh();
    await vi.advanceTimersByTimeAsync(5000);
    answer.resolve({ token: 't2', expiresIn: 60 });
    await refreshed;
    expect(session.getSnapshot().expiresAt).toBe(NOW + 65_000);
  });
});

describe('the timer', () => {
  const signIn = async (expiresAt: number) => {
    const { createSession } = await signedInPage({ token: 't1', expiresAt });
    const refresh = vi.fn(async () => ({ token: 't2' }));
    const onError = vi.fn();
    const session = createSession({ refresh, onError });
    await session.ready();
    return { session, refresh, onError };
  };

  it('refreshes at the deadline', async () => {
    const { session, refresh } = await signIn(NOW + 60_000);
    await vi.advanceTimersByTimeAsync(59_999);
    expect(refresh).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    expect(refresh).toHaveBeenCalledTimes(1);
    expect(session.getToken()).toBe('t2');
  });

  it('is never longer than a browser can count: 100 days do not fire at once', async () => {
    const delays = vi.spyOn(globalThis, 'setTimeout');
    const { refresh } = await signIn(NOW + 100 * DAY);
    await vi.advanceTimersByTimeAsync(99 * DAY);
    expect(refresh).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(DAY);
    expect(refresh).toHaveBeenCalledTimes(1);
    expect(delays.mock.calls.map(([, delay]) => delay)).toEqual([
      2 ** 31 - 1,
      2 ** 31 - 1,
      2 ** 31 - 1,
      2 ** 31 - 1,
      100 * DAY - 4 * (2 ** 31 - 1),
    ]);
  });

  it('of the most distant moment that can be stored', async () => {
    const { refresh } = await signIn(Number.MAX_SAFE_INTEGER);
    await vi.advanceTimersByTimeAsync(1000 * DAY);
    expect(refresh).not.toHaveBeenCalled();
  });

  withStore('of a token that expired while the app was closed fires once', async () => {
    const { refresh } = await signIn(NOW - DAY);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(refresh).toHaveBeenCalledTimes(1);
  });

  it('that finds no network reports it and does not loop', async () => {
    const { session, refresh, onError } = await signIn(NOW + 1000);
    const offline = new TypeError('Failed to fetch');
    refresh.mockRejectedValue(offline);
    await vi.advanceTimersByTimeAsync(DAY);
    expect(refresh).toHaveBeenCalledTimes(1);
    expect(onError.mock.calls).toEqual([[offline]]);
    expect(session.getToken()).toBe('t1');
  });

  it('rests in a window without focus: two windows would use one refresh token twice', async () => {
    const { refresh } = await signIn(NOW + 1000);
    vi.stubGlobal('document', { hasFocus: () => false });
    await vi.advanceTimersByTimeAsync(DAY);
    vi.unstubAllGlobals();
    expect(refresh).not.toHaveBeenCalled();
  });

  it.each(['logout', 'dispose'] as const)('ends with %s', async (end) => {
    const { session, refresh } = await signIn(NOW + 1000);
    await session[end]();
    await settle();
    expect(vi.getTimerCount()).toBe(0);
    await vi.advanceTimersByTimeAsync(DAY);
    expect(refresh).not.toHaveBeenCalled();
  });

  it('follows the token of a new login', async () => {
    const { session, refresh } = await signIn(NOW + 1000);
    await session.login({ token: 'u1', expiresIn: 3600 });
    await vi.advanceTimersByTimeAsync(3_599_000);
    expect(refresh).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1000);
    expect(refresh).toHaveBeenCalledTimes(1);
  });

  it('does nothing without a refresh option: the token stays, the server decides', async () => {
    const { createSession } = await signedInPage({ token: 't1', expiresAt: NOW + 1000 });
    const session = createSession();
    await session.ready();
    await vi.advanceTimersByTimeAsync(DAY);
    expect(session.getToken()).toBe('t1');
    expect(session.getSnapshot().status).toBe('signedIn');
  });
});
