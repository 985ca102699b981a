// Expiry: the deadline counts from receipt, is decided on demand, and its timer is only a help.

import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { Tokens } from '../../session/session.js';
import { FakeVault } from '../support/fake-vault.js';
import { deferred, freshPage, settle } from '../support/helpers.js';
import { keyStore, signedInPage, withStore } from '../support/project.js';

const NOW = Date.UTC(2026, 0, 1);

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

describe('on demand', () => {
  const HOUR = 3_600_000;

  /** A page that starts with a stored token, and the refreshes that it made. */
  async function start(record: { token: string; expiresAt?: number }, ...answers: Tokens[]) {
    const { createSession } = await signedInPage(record);
    let turn = 0;
    const refresh = vi.fn(async () => answers[turn++] ?? { token: `t${turn + 1}`, expiresIn: 900 });
    const session = createSession({ refresh });
    await session.ready();
    if (!keyStore) await session.login(record);
    return { session, refresh };
  }

  withStore('a token that lives is given as it is, one whose time is over is refreshed first', async () => {
    const { session, refresh } = await start({ token: 't1', expiresAt: NOW + 1000 });
    vi.setSystemTime(NOW + 999);
    expect(await session.freshToken()).toBe('t1');
    expect(refresh).not.toHaveBeenCalled();
    vi.setSystemTime(NOW + 1000);
    expect(await session.freshToken()).toBe('t2');
    expect(refresh).toHaveBeenCalledTimes(1);
  });

  withStore('waits for hydrate', async () => {
    const { createSession, vault } = await signedInPage({ token: 't1' });
    const open = vault.hold('get_token');
    const session = createSession();
    const token = session.freshToken();
    await settle();
    open();
    expect(await token).toBe('t1');
  });

  withStore('signed out: nothing', async () => {
    const { createSession } = await freshPage();
    new FakeVault();
    expect(await createSession().freshToken()).toBeUndefined();
  });

  it('needs no timer: after a sleep, while all timers stood still, the next request refreshes', async () => {
    const { session, refresh } = await start({ token: 't1', expiresAt: NOW + 900_000 });
    expect(vi.getTimerCount()).toBe(0);
    vi.setSystemTime(NOW + 8 * HOUR);
    expect(await Promise.all([session.freshToken(), session.freshToken()])).toEqual(['t2', 't2']);
    expect(await session.freshToken()).toBe('t2');
    expect(refresh).toHaveBeenCalledTimes(1);
  });

  it('a refresh that fails gives the old token: the clock may be wrong, the server decides', async () => {
    const { session, refresh } = await start({ token: 't1', expiresAt: NOW - 1 });
    refresh.mockRejectedValue(new TypeError('Failed to fetch'));
    expect(await session.freshToken()).toBe('t1');
  });

  withStore('a refresh that ends the session gives nothing', async () => {
    const { session, refresh } = await start({ token: 't1', expiresAt: NOW - 1 });
    refresh.mockRejectedValue({ status: 401 });
    expect(await session.freshToken()).toBeUndefined();
  });

  it.each([
    ['login', 1],
    ['refresh', 1],
    ['login', 9_999],
    ['refresh', 9_999],
  ] as const)('a token of a %s is not over %d ms after it came, whatever the clock says', async (by, age) => {
    const arrived = { token: 'u1', expiresAt: NOW + 1 };
    const { session, refresh } = await start({ token: 't1' }, arrived);
    if (by === 'login') await session.login(arrived);
    else await session.refresh();
    const before = refresh.mock.calls.length;
    vi.setSystemTime(NOW + age);
    expect(await session.freshToken()).toBe('u1');
    expect(refresh).toHaveBeenCalledTimes(before);
    vi.setSystemTime(NOW + 10_001);
    await session.freshToken();
    expect(refresh).toHaveBeenCalledTimes(before + 1);
  });

  describe.each([
    ['two hours ahead', 2 * HOUR],
    ['two hours behind', -2 * HOUR],
  ])('a clock %s of the server', (_, skew) => {
    it.each([
      ['expiresIn', () => ({ expiresIn: 900 })],
      ['expiresAt', () => ({ expiresAt: Date.now() - skew + 900_000 })],
    ])('does not loop, with %s: at most one refresh for each life of a token', async (_, life) => {
      const { session, refresh } = await start({ token: 't1' });
      refresh.mockImplementation(async () => ({ token: `t${refresh.mock.calls.length + 1}`, ...life() }));
      await session.refresh();
      for (let second = 0; second < 890; second++) {
        vi.setSystemTime(NOW + second * 1000);
        await session.freshToken();
      }
      expect(refresh).toHaveBeenCalledTimes(1);
    });

    withStore('since the last start costs one needless refresh or one 401', async () => {
      const { session, refresh } = await start({ token: 't1', expiresAt: NOW - skew + 900_000 });
      const given = await session.freshToken();
      expect(refresh).toHaveBeenCalledTimes(skew > 0 ? 1 : 0);
      // The 401 for a token that was over: one refresh, and then peace.
      if (skew < 0) expect(await session.refresh(given)).toBe('t2');
      for (let turn = 0; turn < 10; turn++) expect(await session.freshToken()).toBe('t2');
      expect(refresh).toHaveBeenCalledTimes(1);
    });

    it('that is set right while the app runs costs at most one refresh', async () => {
      const { session, refresh } = await start({ token: 't1' });
      await session.login({ token: 'u1', expiresIn: 900 });
      vi.setSystemTime(NOW + 60_000 - skew);
      for (let turn = 0; turn < 10; turn++) await session.freshToken();
      expect(refresh).toHaveBeenCalledTimes(skew < 0 ? 1 : 0);
    });
  });
});
