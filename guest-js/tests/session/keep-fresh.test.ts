// The refresh ahead of time: margins, focus, wake, failures. A stand-in for the window: an EventTarget, and its focus.

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { TokenRecord } from '../../ipc/commands.js';
import { keepFresh } from '../../session/keep-fresh.js';
import type { Tokens } from '../../session/session.js';
import { FakeVault } from '../support/fake-vault.js';
import { freshPage, settle, until } from '../support/helpers.js';

const NOW = Date.UTC(2026, 0, 1);
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const offline = new TypeError('Failed to fetch');

let createSession: typeof import('../../session/session.js').createSession;
let page: EventTarget;
let hasFocus: boolean;
let added: ReturnType<typeof vi.fn>;

beforeEach(async () => {
  vi.useFakeTimers({ now: NOW });
  page = new EventTarget();
  hasFocus = true;
  added = vi.fn(page.addEventListener.bind(page));
  vi.stubGlobal('addEventListener', added);
  vi.stubGlobal('removeEventListener', page.removeEventListener.bind(page));
  vi.stubGlobal('document', { hasFocus: () => hasFocus });
  ({ createSession } = await freshPage());
});

afterEach(() => {
  vi.unstubAllGlobals();
});

/** A window whose token is kept fresh. */
async function open(
  lifetime: number | undefined,
  answer: Omit<Tokens, 'token'> = {},
  account: string = 'default',
) {
  const record: TokenRecord = { token: 't1' };
  if (lifetime !== undefined) record.expiresAt = Date.now() + lifetime;
  new FakeVault({ [account]: record });
  const refresh = vi.fn(async () => ({ token: `t${refresh.mock.calls.length + 1}`, ...answer }));
  const session = createSession({ account, refresh });
  await session.ready();
  const onError = vi.fn();
  const end = keepFresh(session, onError);
  return { session, refresh, onError, end };
}

const happens = async (name: string) => {
  page.dispatchEvent(new Event(name));
  await settle();
};

describe('before the end', () => {
  it.each([
    ['an hour', HOUR, 0, 60_000],
    ['an hour', HOUR, 0.999, 30_030],
    ['15 minutes', 900_000, 0.5, 45_000],
    ['four minutes', 240_000, 0, 60_000],
    ['one minute', 60_000, 0, 15_000],
    ['one minute', 60_000, 0.5, 11_250],
    ['five seconds', 5000, 0, 1250],
    ['one second', 1000, 0, 250],
  ])('a token of %s (%d ms), random %d: refreshed %d ms before', async (_, lifetime, random, margin) => {
    vi.spyOn(Math, 'random').mockReturnValue(random);
    const { session, refresh } = await open(lifetime);
    await vi.advanceTimersByTimeAsync(lifetime - margin - 1);
    expect(refresh).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    expect(refresh).toHaveBeenCalledTimes(1);
    expect(session.getToken()).toBe('t2');
  });

  it('many clients that got a token at the same moment do not line up', async () => {
    const moments = new Map<number, number>();
    for (let client = 0; client < 300; client++) {
      vi.setSystemTime(NOW);
      const { refresh, end } = await open(900_000, {}, `client-${client}`);
      while (!refresh.mock.calls.length) await vi.advanceTimersToNextTimerAsync();
      const second = Math.floor((Date.now() - NOW) / 1000);
      moments.set(second, (moments.get(second) ?? 0) + 1);
      end();
    }
    const seconds = [...moments.keys()];
    expect(Math.min(...seconds)).toBeGreaterThanOrEqual(840);
    expect(Math.max(...seconds)).toBeLessThanOrEqual(870);
    expect(Math.max(...moments.values())).toBeLessThan(300 * 0.1);
  });

  it('again and again', async () => {
    const { refresh } = await open(900_000, { expiresIn: 900 });
    await vi.advanceTimersByTimeAsync(3 * HOUR);
    expect(refresh.mock.calls.length).toBeGreaterThanOrEqual(12);
    expect(refresh.mock.calls.length).toBeLessThanOrEqual(13);
  });

  it('follows the token of a new login', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0);
    const { session, refresh } = await open(100_000);
    await session.login({ token: 'u1', expiresIn: 3600 });
    await vi.advanceTimersByTimeAsync(HOUR - 60_001);
    expect(refresh).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    expect(refresh).toHaveBeenCalledTimes(1);
  });

  it('a session that another window refreshed costs no refresh here', async () => {
    const vault = new FakeVault({ default: { token: 't1', expiresAt: NOW + 100_000 } });
    const refresh = vi.fn(async () => ({ token: 't2' }));
    const session = createSession({ refresh });
    await session.ready();
    keepFresh(session);
    await vault.refreshElsewhere({ token: 't9', expiresAt: NOW + HOUR });
    await vi.advanceTimersByTimeAsync(HOUR - 60_001);
    expect(refresh).not.toHaveBeenCalled();
  });

  it('a token that expired while the app was closed is refreshed once, at once', async () => {
    const { refresh } = await open(-DAY);
    await vi.advanceTimersByTimeAsync(1);
    expect(refresh).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(DAY);
    expect(refresh).toHaveBeenCalledTimes(1);
  });

  it.each([
    ['no lifetime', undefined],
    ['the most distant moment that can be stored', Number.MAX_SAFE_INTEGER - NOW],
  ])('%s: never', async (_, lifetime) => {
    const { refresh } = await open(lifetime);
    await vi.advanceTimersByTimeAsync(2 * DAY);
    expect(refresh).not.toHaveBeenCalled();
  });

  it('P6 a delay is never longer than a browser can count: a token of 30 days does not fire at once', async () => {
    const delays = vi.spyOn(globalThis, 'setTimeout');
    const { refresh } = await open(30 * DAY);
    await vi.advanceTimersByTimeAsync(30 * DAY - 60_001);
    expect(refresh).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(60_001);
    expect(refresh).toHaveBeenCalledTimes(1);
    expect(Math.max(...delays.mock.calls.map(([, delay]) => delay ?? 0))).toBeLessThan(2 ** 31);
  });

  it('a session without a refresh option keeps its token, without a loop', async () => {
    new FakeVault({ default: { token: 't1', expiresAt: NOW + 1000 } });
    const session = createSession();
    await session.ready();
    keepFresh(session);
    await vi.advanceTimersByTimeAsync(DAY);
    expect(session.getToken()).toBe('t1');
    expect(vi.getTimerCount()).toBe(0);
  });

  it('a clock that is wrong makes no loop: a token that was just refreshed is left alone for ten seconds', async () => {
    const { refresh } = await open(1000);
    refresh.mockImplementation(async () => ({
      token: `t${refresh.mock.calls.length + 1}`,
      expiresAt: Date.now() + 1,
    }));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(refresh.mock.calls.length).toBeLessThanOrEqual(7);
  });
});

describe('when the page comes back', () => {
  it.each(['focus', 'visibilitychange', 'pageshow'])('%s refreshes a token near its end', async (event) => {
    hasFocus = false;
    const { refresh } = await open(900_000);
    await vi.advanceTimersByTimeAsync(880_000);
    expect(refresh).not.toHaveBeenCalled();
    hasFocus = true;
    await happens(event);
    expect(refresh).toHaveBeenCalledTimes(1);
    await happens(event);
    expect(refresh).toHaveBeenCalledTimes(1);
  });

  it('focus leaves a token alone that is not near its end', async () => {
    const { refresh } = await open(900_000);
    await happens('focus');
    expect(refresh).not.toHaveBeenCalled();
  });

  it('rests in a window without focus: two windows would use one refresh token twice', async () => {
    hasFocus = false;
    const { refresh } = await open(100_000);
    await vi.advanceTimersByTimeAsync(DAY);
    await happens('visibilitychange');
    expect(refresh).not.toHaveBeenCalled();
  });

  it('wakes from sleep without an event: timers stood still, the clock did not', async () => {
    const { refresh } = await open(8 * HOUR);
    await vi.advanceTimersByTimeAsync(1000);
    vi.setSystemTime(NOW + 9 * HOUR);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(refresh).toHaveBeenCalledTimes(1);
  });

  it('wakes with several events: one refresh', async () => {
    const { refresh } = await open(8 * HOUR);
    vi.setSystemTime(NOW + 9 * HOUR);
    for (const name of ['visibilitychange', 'focus', 'pageshow', 'online']) {
      page.dispatchEvent(new Event(name));
    }
    await settle();
    expect(refresh).toHaveBeenCalledTimes(1);
  });

  it('wakes with several events while there is no network: one refresh, reported once', async () => {
    const { refresh, onError } = await open(8 * HOUR);
    refresh.mockRejectedValue(offline);
    vi.setSystemTime(NOW + 9 * HOUR);
    for (const name of ['visibilitychange', 'focus', 'pageshow']) page.dispatchEvent(new Event(name));
    await settle();
    await happens('focus');
    await until(() => expect(onError.mock.calls).toEqual([[offline]]));
    expect(refresh).toHaveBeenCalledTimes(1);
  });
});

describe('a failure', () => {
  it('keeps the session and is tried again while the token lives, later and later', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0);
    const { session, refresh, onError } = await open(HOUR);
    refresh.mockRejectedValue(offline);
    await vi.advanceTimersByTimeAsync(HOUR - 60_000);
    const seconds: number[] = [];
    for (let calls = 0; calls < 5; ) {
      if (refresh.mock.calls.length > calls) {
        calls = refresh.mock.calls.length;
        seconds.push(Math.round((Date.now() - NOW - HOUR + 60_000) / 1000));
      } else await vi.advanceTimersToNextTimerAsync();
    }
    expect(seconds).toEqual([0, 2, 6, 14, 30]);
    expect(onError.mock.calls).toEqual(Array(5).fill([offline]));
    expect(session.getSnapshot().status).toBe('signedIn');
    expect(session.getToken()).toBe('t1');
    // After the end of the token the requests decide.
    await vi.advanceTimersByTimeAsync(DAY);
    expect(refresh).toHaveBeenCalledTimes(5);
  });

  it('then success: kept fresh again', async () => {
    const { session, refresh } = await open(HOUR);
    refresh.mockRejectedValueOnce(offline);
    await vi.advanceTimersByTimeAsync(HOUR);
    expect(refresh).toHaveBeenCalledTimes(2);
    expect(session.getToken()).toBe('t3');
  });

  it('of a request just before is respected: no refresh while it rests, one after', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0);
    const { session, refresh, onError } = await open(HOUR);
    await vi.advanceTimersByTimeAsync(HOUR - 70_000);
    refresh.mockRejectedValueOnce({ status: 503, retryAfter: 10 });
    await expect(session.refresh('t1')).rejects.toMatchObject({ status: 503 });
    await vi.advanceTimersByTimeAsync(19_999);
    await happens('focus');
    expect(refresh).toHaveBeenCalledTimes(1);
    expect(onError).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(2);
    expect(refresh).toHaveBeenCalledTimes(2);
  });

  it('without a network ends when the network is back, not later', async () => {
    const { session, refresh } = await open(1000);
    refresh.mockRejectedValue(offline);
    for (let turn = 0; turn < 12; turn++) await session.refresh().catch(() => {});
    await vi.advanceTimersByTimeAsync(1000);
    expect(session.retryAt()).toBeDefined();
    refresh.mockResolvedValue({ token: 't2' });
    await happens('online');
    expect(session.getToken()).toBe('t2');
  });

  it('that is a refusal ends the session', async () => {
    const { session, refresh, onError } = await open(1000);
    refresh.mockRejectedValue({ error: 'invalid_grant' });
    await vi.advanceTimersByTimeAsync(DAY);
    expect(refresh).toHaveBeenCalledTimes(1);
    expect(session.getSnapshot().status).toBe('signedOut');
    expect(onError).not.toHaveBeenCalled();
  });

  it('goes on when the one that hears of it throws', async () => {
    const { refresh, onError } = await open(HOUR);
    const reported = vi.spyOn(globalThis, 'queueMicrotask').mockImplementation(() => {});
    refresh.mockRejectedValueOnce(offline);
    onError.mockImplementation(() => {
      throw new Error('a bug of the app');
    });
    await vi.advanceTimersByTimeAsync(HOUR);
    expect(refresh).toHaveBeenCalledTimes(2);
    expect(reported).toHaveBeenCalledTimes(1);
  });
});

describe('the end', () => {
  it('of the session: logout leaves no timer', async () => {
    const { session, refresh } = await open(100_000);
    await session.logout();
    expect(vi.getTimerCount()).toBe(0);
    await happens('focus');
    expect(refresh).not.toHaveBeenCalled();
  });

  it('of the session: dispose starts no refresh', async () => {
    const { session, refresh } = await open(100_000);
    session.dispose();
    await vi.advanceTimersByTimeAsync(DAY);
    expect(refresh).not.toHaveBeenCalled();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('of keeping it fresh: no timer, no listener', async () => {
    const { session, refresh, end } = await open(100_000);
    const removed = vi.spyOn(globalThis, 'removeEventListener');
    end();
    // The session of the page looks at these for as long as the page lives.
    const isOfThePage = ([name]: unknown[]) => /^(beforeunload|pagehide|pageshow)$/.test(`${name}`);
    expect(removed.mock.calls).toEqual(
      added.mock.calls.slice(added.mock.calls.filter(isOfThePage).length - 1),
    );
    expect(vi.getTimerCount()).toBe(0);
    await session.login({ token: 'u1', expiresIn: 1 });
    await vi.advanceTimersByTimeAsync(DAY);
    for (const name of ['focus', 'visibilitychange', 'pageshow', 'online']) await happens(name);
    expect(refresh).not.toHaveBeenCalled();
  });

  it('of keeping it fresh during a refresh that then fails: no timer', async () => {
    const { refresh, end } = await open(100_000);
    let fail = (_: unknown) => {};
    refresh.mockReturnValue(
      new Promise((_, reject) => {
        fail = reject;
      }),
    );
    await vi.advanceTimersByTimeAsync(90_000);
    expect(refresh).toHaveBeenCalledTimes(1);
    end();
    fail(offline);
    await until(() => expect(vi.getTimerCount()).toBe(0));
  });
});

it('outside a browser window it works without events', async () => {
  vi.unstubAllGlobals();
  const { refresh, end } = await open(1000);
  await vi.advanceTimersByTimeAsync(1000);
  expect(refresh).toHaveBeenCalledTimes(1);
  end();
});
