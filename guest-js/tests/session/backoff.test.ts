// A refresh that failed rests: full jitter, what the server asks for, and no server hit for each request meanwhile.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { retryDelay } from '../../session/retry-delay.js';
import type { Tokens } from '../../session/session.js';
import { FakeVault } from '../support/fake-vault.js';
import { deferred, freshPage, settle, snapshotOf, until } from '../support/helpers.js';

const NOW = Date.UTC(2026, 0, 1);
const HOUR = 3_600_000;
const offline = new TypeError('Failed to fetch');

let page: Awaited<ReturnType<typeof freshPage>>;
let vault: FakeVault;

beforeEach(async () => {
  vi.useFakeTimers({ now: NOW });
  page = await freshPage();
  vault = new FakeVault({ default: { token: 't1', refreshToken: 'r1' } });
});

/** A session whose refresh fails with `cause` until it is told otherwise. */
async function failing(cause: unknown) {
  const refresh = vi.fn(async (): Promise<Tokens> => Promise.reject(cause));
  const session = page.createSession({ refresh });
  await session.ready();
  return { session, refresh };
}

const failure = (attempt: Promise<unknown>) =>
  attempt.then(
    () => 'no failure',
    (cause) => cause,
  );

describe('while a refresh rests', () => {
  it('100 requests with a 401 get the last failure, and the server is not asked', async () => {
    const { session, refresh } = await failing(offline);
    expect(await failure(session.refresh('t1'))).toBe(offline);
    for (let turn = 0; turn < 100; turn++) expect(await failure(session.refresh('t1'))).toBe(offline);
    expect(refresh).toHaveBeenCalledTimes(1);
    expect(session.getToken()).toBe('t1');
    expect(session.getSnapshot()).toEqual(snapshotOf({ status: 'signedIn', persisted: true }));
  });

  it('requests with a token whose time is over go out with it', async () => {
    vault = new FakeVault({ default: { token: 't1', expiresAt: NOW - 1 } });
    const { session, refresh } = await failing(offline);
    for (let turn = 0; turn < 100; turn++) expect(await session.freshToken()).toBe('t1');
    expect(refresh).toHaveBeenCalledTimes(1);
  });

  it('authFetch sends each request once and asks the server for a token once', async () => {
    vi.useRealTimers();
    let requests = 0;
    const api = createServer((_, response) => {
      requests++;
      response.writeHead(401).end();
    });
    await new Promise<void>((resolve) => api.listen(0, '127.0.0.1', resolve));
    const origin = `http://127.0.0.1:${(api.address() as AddressInfo).port}`;
    const { session, refresh } = await failing({ status: 503, retryAfter: 60 });
    const authFetch = page.createAuthFetch(session, { origins: [origin] });
    for (let turn = 0; turn < 20; turn++)
      expect(await failure(authFetch(origin))).toMatchObject({ status: 503 });
    expect(requests).toBe(20);
    expect(refresh).toHaveBeenCalledTimes(1);
    api.close();
  });

  it('a person who asks is heard', async () => {
    const { session, refresh } = await failing(offline);
    await failure(session.refresh('t1'));
    refresh.mockResolvedValue({ token: 't2' });
    expect(await session.refresh()).toBe('t2');
    expect(session.retryAt()).toBeUndefined();
  });

  it('a login ends it: its refresh is another one', async () => {
    const { session, refresh } = await failing({ status: 429, retryAfter: 3600 });
    await failure(session.refresh('t1'));
    await session.login({ token: 'u1' });
    expect(session.retryAt()).toBeUndefined();
    refresh.mockResolvedValue({ token: 'u2' });
    expect(await session.refresh('u1')).toBe('u2');
  });

  it('a token of another window ends it', async () => {
    const { session, refresh } = await failing({ status: 429, retryAfter: 3600 });
    await failure(session.refresh('t1'));
    vault.change({ token: 't9' });
    await until(() => expect(session.getToken()).toBe('t9'));
    expect(session.retryAt()).toBeUndefined();
    refresh.mockResolvedValue({ token: 't10' });
    expect(await session.refresh('t9')).toBe('t10');
  });

  it('a clock that is set back two hours does not prolong it', async () => {
    const { session, refresh } = await failing(offline);
    await failure(session.refresh('t1'));
    vi.setSystemTime(NOW - 2 * HOUR);
    expect(session.retryAt()).toBeUndefined();
    await failure(session.refresh('t1'));
    expect(refresh).toHaveBeenCalledTimes(2);
  });

  it('one that is under way is not a failure: all wait for it', async () => {
    const answer = deferred<Tokens>();
    const refresh = vi.fn(() => answer.promise);
    const session = page.createSession({ refresh });
    await session.ready();
    const all = [session.refresh(), session.refresh('t1')];
    await settle();
    vi.setSystemTime(NOW - 2 * HOUR);
    all.push(session.refresh('t1'), session.refresh());
    expect(session.retryAt()).toBeUndefined();
    answer.resolve({ token: 't2' });
    expect(await Promise.all(all)).toEqual(Array(4).fill('t2'));
    expect(refresh).toHaveBeenCalledTimes(1);
  });

  it('tokens that break the rules rest too: a server that answers nonsense is not asked for each request', async () => {
    const { session, refresh } = await failing(offline);
    refresh.mockResolvedValue({ token: '' });
    for (let turn = 0; turn < 9; turn++) {
      expect(await failure(session.refresh('t1'))).toMatchObject({ code: 'invalid-argument' });
    }
    expect(refresh).toHaveBeenCalledTimes(1);
  });
});

describe('how long', () => {
  it('up to 2, 4, 8 … 120 seconds, at random', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0);
    const { session } = await failing(offline);
    const seconds: number[] = [];
    for (let turn = 0; turn < 9; turn++) {
      await failure(session.refresh('t1'));
      seconds.push(((session.retryAt() ?? 0) - Date.now()) / 1000);
      vi.setSystemTime(session.retryAt() ?? 0);
    }
    expect(seconds).toEqual([2, 4, 8, 16, 32, 64, 120, 120, 120]);
  });

  it('begins anew after a success', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0);
    const { session, refresh } = await failing(offline);
    for (let turn = 0; turn < 5; turn++) await failure(session.refresh());
    refresh.mockResolvedValueOnce({ token: 't2' });
    await session.refresh();
    await failure(session.refresh());
    expect(session.retryAt()).toBe(NOW + 2000);
  });

  it('the whole range is used, so that clients which failed together do not return together', () => {
    const delays = Array.from({ length: 12_000 }, () => retryDelay(offline, 20));
    const seconds = Array<number>(120).fill(0);
    for (const delay of delays)
      seconds[Math.ceil(delay / 1000) - 1] = (seconds[Math.ceil(delay / 1000) - 1] ?? 0) + 1;
    // 100 a second on average.
    expect(Math.min(...seconds)).toBeGreaterThan(40);
    expect(Math.max(...seconds)).toBeLessThan(160);
  });

  it.each<[string, unknown, number]>([
    ['retryAfter, a number of seconds', { retryAfter: 120 }, 120_000],
    ['retryAfter, the text of the header', { retryAfter: '120' }, 120_000],
    ['retryAfter, a date', { retryAfter: new Date(NOW + 90_000).toUTCString() }, 90_000],
    ['a Response', new Response('', { status: 503, headers: { 'Retry-After': '7' } }), 7000],
    ['headers', { headers: new Headers({ 'retry-after': '7' }) }, 7000],
    [
      'an error with the response, as ky, ofetch and axios have',
      { response: new Response('', { headers: { 'retry-after': '7' } }) },
      7000,
    ],
    [
      'a date is counted by the clock of the server, two hours ahead',
      {
        headers: new Headers({
          date: new Date(NOW + 2 * HOUR).toUTCString(),
          'retry-after': new Date(NOW + 2 * HOUR + 30_000).toUTCString(),
        }),
      },
      30_000,
    ],
    [
      'a date that is two hours ahead and cannot be compared: an hour',
      { retryAfter: new Date(NOW + 2 * HOUR).toUTCString() },
      HOUR,
    ],
    ['a year: an hour', { retryAfter: 31_536_000 }, HOUR],
    ['Infinity: an hour', { retryAfter: Infinity }, HOUR],
    ['zero', { retryAfter: 0 }, 0],
    ['the text zero', { retryAfter: '0' }, 0],
    ['a negative number', { retryAfter: -5 }, 0],
    ['a date that has passed', { retryAfter: new Date(NOW - 90_000).toUTCString() }, 0],
    ['nonsense', { retryAfter: 'soon' }, 0],
    ['an object', { retryAfter: {} }, 0],
    ['NaN', { retryAfter: NaN }, 0],
    ['no header', new Response('', { status: 503 }), 0],
    ['headers that are none', { headers: { 'retry-after': '7' } }, 0],
    ['nothing', undefined, 0],
    ['null', null, 0],
    ['text', 'Retry-After: 7', 0],
  ])('Retry-After: %s', (_, cause, wait) => {
    vi.spyOn(Math, 'random').mockReturnValue(0);
    expect(retryDelay(cause, 0)).toBe(wait + Math.min(Math.max(2000, wait), 120_000));
    vi.spyOn(Math, 'random').mockReturnValue(1);
    expect(retryDelay(cause, 1)).toBe(wait);
  });

  it('Retry-After is kept to: no request asks the server before', async () => {
    const { session, refresh } = await failing(
      new Response('', { status: 429, headers: { 'retry-after': '30' } }),
    );
    await failure(session.refresh('t1'));
    vi.setSystemTime(NOW + 30_000);
    await failure(session.refresh('t1'));
    expect(refresh).toHaveBeenCalledTimes(1);
    vi.setSystemTime(NOW + 60_000);
    await failure(session.refresh('t1'));
    expect(refresh).toHaveBeenCalledTimes(2);
  });

  it('one client without any traffic but 401s, in an outage of ten minutes: a bounded number of refreshes', async () => {
    const { session, refresh } = await failing({ status: 503 });
    for (let ms = 0; ms < 600_000; ms += 100) {
      vi.setSystemTime(NOW + ms);
      await failure(session.refresh('t1'));
    }
    expect(refresh.mock.calls.length).toBeLessThan(60);
  });
});
