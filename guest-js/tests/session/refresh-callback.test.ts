// What the refresh callback is given, how long it may take, and what happens when it waits for itself.

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { RefreshTools, Tokens } from '../../session/session.js';
import { until } from '../support/helpers.js';
import { signedInPage } from '../support/project.js';

const NEXT = { token: 't2', refreshToken: 'r2' };

let page: Awaited<ReturnType<typeof signedInPage>>;
let warn: ReturnType<typeof vi.spyOn>;

beforeEach(async () => {
  warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
  page = await signedInPage({ token: 't1', refreshToken: 'r1' });
});

afterEach(() => {
  vi.unstubAllGlobals();
});

it('the fetch that it is given is that of the page, with its signal', async () => {
  const send = vi.fn(async () => Response.json(NEXT));
  vi.stubGlobal('fetch', send);
  let given: AbortSignal | undefined;
  const session = page.createSession({
    async refresh(_, { fetch, signal }) {
      given = signal;
      return (await fetch('https://api.example.com/refresh', { method: 'POST' })).json();
    },
  });
  expect(await session.refresh()).toBe('t2');
  expect(send).toHaveBeenCalledWith('https://api.example.com/refresh', { method: 'POST', signal: given });
});

describe('A8 P6 a refresh that never settles', () => {
  it.each([
    ['after 30 seconds', undefined, 30_000],
    ['at the deadline of the app', 5000, 5000],
  ])('fails %s, its signal is aborted, and the next one works', async (_, refreshDeadline, after) => {
    vi.useFakeTimers();
    const signals: AbortSignal[] = [];
    const refresh = vi.fn(async (_: unknown, { signal }: RefreshTools): Promise<Tokens> => {
      signals.push(signal);
      return signals.length === 1 ? new Promise(() => {}) : NEXT;
    });
    const session = page.createSession({ refresh, refreshDeadline });
    await session.ready();
    const failed = expect(session.refresh('t1')).rejects.toMatchObject({ code: 'timeout', retryable: true });
    await until(() => expect(refresh).toHaveBeenCalled());
    const start = Date.now();
    await vi.advanceTimersByTimeAsync(after + 10);
    await failed;
    expect(Date.now() - start).toBeLessThan(after + 1000);
    expect(signals[0]?.aborted).toBe(true);
    expect(await session.refresh()).toBe('t2');
    expect(session.getSnapshot().status).toBe('signedIn');
  });

  it.each([0, -1, Number.NaN, 55_001, Infinity])('a deadline of %d is refused', (refreshDeadline) => {
    expect(() => page.createSession({ refreshDeadline })).toThrow('refreshDeadline');
  });
});

describe('A7 a refresh that waits for itself', () => {
  it.each([['with authFetch'], ['with freshToken'], ['with refresh']])(
    '%s: fails at once, with what to do',
    async (way) => {
      const send = vi.fn(async () => Response.json(NEXT));
      const session = page.createSession({
        async refresh() {
          if (way === 'with freshToken') await session.freshToken();
          else if (way === 'with refresh') await session.refresh();
          else await authFetch('https://api.example.com/refresh', { method: 'POST' });
          return NEXT;
        },
      });
      const authFetch = page.createAuthFetch(session, { origins: ['https://api.example.com'], fetch: send });
      await session.ready();
      warn.mockClear();
      await expect(session.refresh()).rejects.toMatchObject({
        code: 'invalid-argument',
        message: expect.stringContaining('the fetch that it is given'),
      });
      expect(send).not.toHaveBeenCalled();
      expect(warn.mock.calls.filter(([text]: unknown[]) => /waits for itself/.test(`${text}`))).toHaveLength(
        1,
      );
    },
  );

  it('after something else: fails at the deadline, with what to do', async () => {
    vi.useFakeTimers();
    const session = page.createSession({
      async refresh() {
        await Promise.resolve();
        await session.refresh('t1');
        return NEXT;
      },
    });
    await session.ready();
    const failed = expect(session.refresh('t1')).rejects.toMatchObject({
      message: expect.stringContaining('it waits for itself'),
    });
    await vi.advanceTimersByTimeAsync(31_000);
    await failed;
  });

  it('a request that only happens at the same time is none', async () => {
    const session = page.createSession({
      async refresh() {
        await new Promise((resolve) => setTimeout(resolve, 5));
        return NEXT;
      },
    });
    await session.ready();
    const refreshed = session.refresh();
    await until(() => expect(session.freshToken()).resolves.toBeDefined());
    expect(await refreshed).toBe('t2');
  });
});

describe('A11 the floor', () => {
  it('an endpoint that refuses every token, polled each second for a minute: one refresh', async () => {
    vi.useFakeTimers();
    let turn = 1;
    const refresh = vi.fn(async (): Promise<Tokens> => ({ token: `t${++turn}`, refreshToken: `r${turn}` }));
    const session = page.createSession({ refresh });
    await session.ready();
    await session.login({ token: 't1', refreshToken: 'r1' });
    for (let second = 0; second < 59; second++) {
      const token = await session.freshToken();
      await session.refresh(token);
      await vi.advanceTimersByTimeAsync(1000);
    }
    expect(refresh).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(2000);
    await session.refresh(session.getToken());
    expect(refresh).toHaveBeenCalledTimes(2);
  });

  it('a token that the server has taken lifts it', async () => {
    let turn = 1;
    const refresh = vi.fn(async (): Promise<Tokens> => ({ token: `t${++turn}`, refreshToken: `r${turn}` }));
    const session = page.createSession({ refresh });
    await session.ready();
    await session.login({ token: 't1', refreshToken: 'r1' });
    expect(await session.refresh('t1')).toBe('t2');
    expect(await session.refresh('t2')).toBeUndefined();
    expect(await session.refresh('t2', { accepted: true })).toBe('t3');
  });

  it('a clock that is set back does not keep it', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    let turn = 1;
    const refresh = vi.fn(async (): Promise<Tokens> => ({ token: `t${++turn}`, refreshToken: `r${turn}` }));
    const session = page.createSession({ refresh });
    await session.ready();
    await session.login({ token: 't1', refreshToken: 'r1' });
    expect(await session.refresh('t1')).toBe('t2');
    expect(await session.refresh('t2')).toBeUndefined();
    vi.setSystemTime(Date.now() - 3_600_000);
    expect(await session.refresh('t2')).toBe('t3');
  });
});

describe('freshToken with a minimum life', () => {
  it('refreshes a token that would end before', async () => {
    vi.useFakeTimers();
    const refresh = vi.fn(async () => ({ ...NEXT, expiresIn: 900 }));
    const session = page.createSession({ refresh });
    await session.ready();
    await session.login({ token: 't1', refreshToken: 'r1', expiresIn: 60 });
    await vi.advanceTimersByTimeAsync(11_000);
    expect(await session.freshToken({ minLife: 40_000 })).toBe('t1');
    expect(refresh).not.toHaveBeenCalled();
    expect(await session.freshToken({ minLife: 50_000 })).toBe('t2');
  });
});

it('isRefused of the app decides which failures end the session', async () => {
  const session = page.createSession({
    refresh: () => Promise.reject({ status: 418 }),
    isRefused: (cause) => Object(cause).status === 418,
  });
  await session.ready();
  expect(await session.refresh()).toBeUndefined();
  expect(session.getSnapshot().status).toBe('signedOut');
});
