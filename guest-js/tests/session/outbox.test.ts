// The revoke outbox: what could not be revoked is kept, tried again, and never comes back as a token.

import { inspect } from 'node:util';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import fixture from '../../../tests/fixtures/revoke-outbox.json' with { type: 'json' };
import type { TokenRecord } from '../../ipc/commands.js';
import type { OutboxOptions } from '../../session/outbox.js';
import { entriesIn, outboxOf, tokenOf } from '../../session/outbox-form.js';
import { prefixOf } from '../../storage/storage-form.js';
import { FakeVault, rejection } from '../support/fake-vault.js';
import { deferred, freshPage, settle, snapshotOf, until } from '../support/helpers.js';

const NOW = Date.UTC(2026, 0, 1);
const DAY = 86_400_000;
const OUTBOX = 'revoke-outbox/default';
const offline = new TypeError('Failed to fetch');
const RECORD = { token: 't1', refreshToken: 'r1', expiresAt: NOW + 900_000 };

let page: Awaited<ReturnType<typeof freshPage>>;
let createOutbox: typeof import('../../session/outbox.js').createOutbox;
let vault: FakeVault;

/** Another start of the app: the key store stays, memory does not. */
async function start() {
  page = await freshPage();
  ({ createOutbox } = await import('../../session/outbox.js'));
}

beforeEach(async () => {
  vi.useFakeTimers({ now: NOW });
  vi.spyOn(Math, 'random').mockReturnValue(0);
  await start();
  vault = new FakeVault({ default: RECORD });
});

const stored = () => {
  const token = vault.records.get(OUTBOX)?.token;
  return token === undefined ? undefined : entriesIn(token);
};

/** A signed-in session with an outbox, and a server that is away until it is told otherwise. */
async function open(options: Partial<OutboxOptions> = {}) {
  const revoke = vi.fn((_: TokenRecord): Promise<void> => Promise.reject(offline));
  const onError = vi.fn();
  const outbox = createOutbox({ revoke, onError, ...options });
  const session = page.createSession({ revoke: outbox.revoke, onError });
  await session.ready();
  await settle();
  return { session, outbox, revoke, onError };
}

describe('a logout', () => {
  it('memory first, store second, outbox third, revoke last', async () => {
    const steps: string[] = [];
    const { session } = await open({
      revoke: async (record) => {
        steps.push(
          `${record.refreshToken}: default ${vault.records.has('default')}, kept ${stored()?.length}`,
        );
      },
    });
    await session.logout();
    await settle();
    expect(steps).toEqual(['r1: default false, kept 1']);
    expect(vault.records.size).toBe(0);
    const changes = vault.calls.filter(({ command }) => /set|clear/.test(command));
    expect(changes.map(({ command, args }) => [command, args.account])).toEqual([
      ['clear_token', 'default'],
      ['set_token', OUTBOX],
      ['clear_token', OUTBOX],
    ]);
  });

  it('offline: the failure is reported once, the record is kept, nothing is restored', async () => {
    const { session, onError } = await open();
    expect(await session.logout()).toEqual(snapshotOf({ status: 'signedOut', persisted: true }));
    await settle();
    expect(onError.mock.calls).toEqual([[offline]]);
    expect(stored()).toEqual([{ ...RECORD, until: NOW + 30 * DAY }]);
    expect(session.getToken()).toBeUndefined();
    expect(session.getSnapshot()).toEqual(snapshotOf({ status: 'signedOut', persisted: true }));
  });

  it('then the app is closed at once: the next start revokes', async () => {
    const { session, outbox } = await open({ revoke: () => deferred<void>().promise });
    await session.logout();
    await settle();
    session.dispose();
    outbox.dispose();
    await start();
    const revoke = vi.fn(async () => {});
    createOutbox({ revoke });
    await settle();
    expect(revoke.mock.calls).toEqual([[RECORD]]);
    expect(vault.records.size).toBe(0);
  });

  it('is tried again with backoff, and as the server asks', async () => {
    const { session, revoke } = await open();
    await session.logout();
    await settle();
    const seconds: number[] = [];
    for (let calls = 1; calls < 6; calls++) {
      while (revoke.mock.calls.length === calls) await vi.advanceTimersToNextTimerAsync();
      seconds.push((Date.now() - NOW) / 1000);
    }
    expect(seconds).toEqual([2, 6, 14, 30, 62]);
    revoke.mockRejectedValueOnce({ status: 503, headers: new Headers({ 'retry-after': '600' }) });
    await vi.advanceTimersByTimeAsync(64_000);
    expect(revoke).toHaveBeenCalledTimes(7);
    revoke.mockResolvedValue();
    await vi.advanceTimersByTimeAsync(600_000);
    expect(revoke).toHaveBeenCalledTimes(7);
    await vi.advanceTimersByTimeAsync(120_000);
    expect(revoke).toHaveBeenCalledTimes(8);
    expect(vault.records.size).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('of a network that never answers keeps no later logout out of the store', async () => {
    const { session } = await open({ revoke: () => deferred<void>().promise });
    await session.logout();
    await session.login({ token: 'u1', refreshToken: 's1' });
    await session.logout();
    await settle();
    expect(stored()?.map(({ token }) => token)).toEqual(['t1', 'u1']);
  });

  it.each([
    ['the outbox cannot be read', 'get_token'],
    ['the outbox cannot be written', 'set_token'],
  ] as const)('when %s the server is told anyway, and both are reported', async (_, command) => {
    const { session, revoke, onError } = await open();
    vault.fail(command, rejection('locked'));
    await session.logout();
    await settle();
    expect(revoke.mock.calls).toEqual([[RECORD]]);
    expect(onError.mock.calls).toMatchObject([[{ code: 'locked' }], [offline]]);
    expect(stored()).toBeUndefined();
  });

  it('when the outbox cannot be emptied after a revoke: reported, and revoked again at the next start', async () => {
    const { session, revoke, onError } = await open();
    revoke.mockImplementation(async () => vault.fail('clear_token', rejection('locked')));
    await session.logout();
    await until(() => expect(onError.mock.calls).toMatchObject([[{ code: 'locked' }]]));
    expect(stored()?.length).toBe(1);
  });

  it('outside Tauri: revoked, and not kept', async () => {
    Reflect.deleteProperty(globalThis, '__TAURI_INTERNALS__');
    vi.spyOn(console, 'warn').mockImplementation(() => {});
    const { session, revoke, onError } = await open();
    await session.login(RECORD);
    await session.logout();
    await settle();
    expect(revoke).toHaveBeenCalledTimes(1);
    expect(onError.mock.calls).toEqual([[offline]]);
  });
});

describe('P3 nothing in the outbox is ever the token of a session', () => {
  it('a start after an offline logout is signed out, also when the revoke fails again', async () => {
    const first = await open();
    await first.session.logout();
    await settle();
    first.outbox.dispose();
    await start();
    const { session } = await open();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(session.getSnapshot()).toEqual(snapshotOf({ status: 'signedOut', persisted: true }));
    expect(session.getToken()).toBeUndefined();
    expect(await session.freshToken()).toBeUndefined();
    expect(await session.refresh('t1')).toBeUndefined();
    expect(vault.records.has('default')).toBe(false);
    expect(
      vault.calls.filter(({ command, args }) => command === 'set_token' && args.account !== OUTBOX),
    ).toEqual([]);
  });

  it('a login while the outbox delivers stays, in memory and in the store', async () => {
    const answer = deferred<void>();
    const { session } = await open({ revoke: () => answer.promise });
    await session.logout();
    await settle();
    await session.login({ token: 'u1', refreshToken: 's1' });
    answer.resolve();
    await settle();
    expect(session.getToken()).toBe('u1');
    expect([...vault.records]).toEqual([['default', { token: 'u1', refreshToken: 's1' }]]);
  });

  it('a session that is opened on it by mistake has no token of a server', async () => {
    const { session } = await open();
    await session.logout();
    await settle();
    const mistaken = page.createSession({ account: OUTBOX });
    await mistaken.ready();
    expect(mistaken.getToken()).not.toBe('t1');
    expect(vault.records.get(OUTBOX)?.refreshToken).toBeUndefined();
  });

  it('notices of the outbox are not for the session', async () => {
    const { session } = await open();
    await session.logout();
    const snapshot = session.getSnapshot();
    const reads = vault.calls.filter(({ args }) => args.account === 'default').length;
    vault.change({ token: tokenOf([]) }, OUTBOX);
    await settle();
    expect(session.getSnapshot()).toBe(snapshot);
    expect(vault.calls.filter(({ args }) => args.account === 'default').length).toBe(reads);
  });
});

describe('what is dropped', () => {
  /** A start at `now` with what a logout at NOW left behind. */
  async function later(now: number, record: TokenRecord, maxAge?: number) {
    const age = maxAge === undefined ? {} : { maxAge };
    const { outbox } = await open(age);
    await outbox.revoke(record).catch(() => {});
    outbox.dispose();
    vi.setSystemTime(now);
    await start();
    const revoke = vi.fn(async () => {});
    createOutbox({ revoke, ...age });
    await settle();
    expect(vault.records.has(OUTBOX)).toBe(false);
    return revoke.mock.calls.length;
  }

  it.each([
    ['30 days', RECORD, undefined, 30 * DAY],
    ['the lifetime of refresh tokens that the app names', RECORD, 86_400, DAY],
    ['the end of a token without a refresh token', { token: 't1', expiresAt: NOW + 5000 }, undefined, 5000],
    [
      'the age, for a token without a refresh token that lives longer',
      { token: 't1', expiresAt: NOW + 9 * DAY },
      86_400,
      DAY,
    ],
    ['the age, for a token that names no end', { token: 't1' }, undefined, 30 * DAY],
  ])('after %s', async (_, record, maxAge, life) => {
    expect(await later(NOW + life - 1, record, maxAge)).toBe(1);
    vi.setSystemTime(NOW);
    expect(await later(NOW + life, record, maxAge)).toBe(0);
  });

  it('a record that is over at its logout is not kept, but the server is told: the clock may be wrong', async () => {
    const { outbox, revoke } = await open();
    await expect(outbox.revoke({ token: 't1', expiresAt: NOW - 1 })).rejects.toBe(offline);
    expect(revoke).toHaveBeenCalledTimes(1);
    expect(stored()).toBeUndefined();
  });

  it.each([
    ['400', { status: 400 }],
    ['401', { status: 401 }],
    ['403, as a Response', new Response('', { status: 403 })],
    ['404, in an error with a response', { response: new Response('', { status: 404 }) }],
  ])('what the server refused for good (%s): reported and not tried again', async (_, cause) => {
    const { session, revoke, onError } = await open();
    revoke.mockRejectedValue(cause);
    await session.logout();
    await vi.advanceTimersByTimeAsync(DAY);
    expect(revoke).toHaveBeenCalledTimes(1);
    expect(onError.mock.calls).toEqual([[cause]]);
    expect(vault.records.size).toBe(0);
  });

  it.each([408, 429, 500, 503])('not what it may take later (%i)', async (status) => {
    const { session, revoke } = await open();
    revoke.mockRejectedValueOnce(Object.assign(new Error(), { response: new Response('', { status }) }));
    revoke.mockResolvedValueOnce();
    await session.logout();
    await vi.advanceTimersByTimeAsync(DAY);
    expect(revoke).toHaveBeenCalledTimes(2);
    expect(vault.records.size).toBe(0);
  });
});

describe('several', () => {
  it('records: each is tried, one that fails does not hold up the others', async () => {
    const { outbox, revoke, onError } = await open();
    await outbox.revoke({ token: 'a', refreshToken: 'a' }).catch(() => {});
    revoke.mockImplementation(({ token }) => (token === 'a' ? Promise.reject(offline) : Promise.resolve()));
    await outbox.revoke({ token: 'b', refreshToken: 'b' });
    expect(stored()?.map(({ token }) => token)).toEqual(['a']);
    expect(onError.mock.calls).toEqual([[offline]]);
    outbox.dispose();
  });

  it('windows: what another one put in meanwhile is not lost', async () => {
    const { outbox, revoke } = await open();
    const answer = deferred<void>();
    revoke.mockReturnValue(answer.promise);
    const revoked = outbox.revoke({ token: 'a', refreshToken: 'a' });
    await settle();
    // Between the read and the write of the removal.
    const late = vault.hold('get_token');
    answer.resolve();
    await settle();
    const theirs = { token: 'b', refreshToken: 'b', until: NOW + DAY };
    vault.change({ token: tokenOf([...(stored() ?? []), theirs]) }, OUTBOX);
    late();
    await revoked;
    expect(stored()).toEqual([theirs]);
  });

  it('the same record twice is one entry', async () => {
    const { outbox } = await open();
    await outbox.revoke(RECORD).catch(() => {});
    await outbox.revoke(RECORD).catch(() => {});
    expect(stored()?.length).toBe(1);
    outbox.dispose();
  });

  it('accounts have outboxes of their own', async () => {
    const other = await open({ account: 'ada@work' });
    await other.outbox.revoke(RECORD).catch(() => {});
    expect([...vault.records.keys()]).toEqual(['default', 'revoke-outbox/ada@work']);
    await start();
    const revoke = vi.fn(async () => {});
    createOutbox({ revoke });
    await settle();
    expect(revoke).not.toHaveBeenCalled();
    other.outbox.dispose();
  });
});

describe('P1 a read deletes nothing', () => {
  it.each([
    'a.token.of.a.server',
    'revoke-outbox.v2.[]',
    'revoke-outbox.v1.',
    'revoke-outbox.v1.{"token":"SECRET"}',
    'revoke-outbox.v1.[{"token":"SECRET',
    'revoke-outbox.v1.[{"token":"SECRET"}]',
    'revoke-outbox.v1.[null]',
  ])('an outbox that cannot be understood is reported and kept: %s', async (token) => {
    vault.records.set(OUTBOX, { token });
    const { session, revoke, onError } = await open();
    await session.logout();
    await settle();
    expect(onError.mock.calls[0]).toMatchObject([{ code: 'corrupt' }]);
    expect(vault.records.get(OUTBOX)).toEqual({ token });
    expect(revoke.mock.calls).toEqual([[RECORD]]);
    // P4: nor is it shown.
    expect(onError.mock.calls.map((call) => inspect(call)).join()).not.toContain('SECRET');
  });

  it('a locked store at the start is reported, and asked no more: each time would be a prompt', async () => {
    vault.fail('get_token', rejection('locked'));
    const { onError } = await open();
    expect(onError.mock.calls).toMatchObject([[{ code: 'locked' }]]);
    const reads = vault.count('get_token');
    await vi.advanceTimersByTimeAsync(DAY);
    expect(vault.count('get_token')).toBe(reads);
  });

  it('an empty outbox costs one read at the start and no write', async () => {
    const revoke = vi.fn(async () => {});
    createOutbox({ revoke });
    await vi.advanceTimersByTimeAsync(DAY);
    expect(vault.calls.map(({ command }) => command)).toEqual(['get_token']);
  });
});

describe('P7 the stored form is frozen', () => {
  it.each(fixture)('$outbox: written and read', async ({ account, outbox, entries, token }) => {
    expect(outboxOf(account)).toBe(outbox);
    expect(tokenOf(entries)).toBe(token);
    vault.records.set(outbox, { token });
    const revoke = vi.fn(async () => {});
    createOutbox({ account, revoke });
    await settle();
    expect(revoke.mock.calls).toEqual(entries.map(({ until, ...record }) => [record]));
    expect(vault.records.has(outbox)).toBe(false);
  });

  it('no storage has an account that begins so', () => {
    expect(prefixOf('default').split('/')[0]).not.toBe(outboxOf('').split('/')[0]);
  });
});

it.each(['x\n', 'x'.repeat(499), '\ud800'])('a bad account is refused: %j', (account) => {
  const make = () => createOutbox({ account, revoke: async () => {} });
  expect(make).toThrow(expect.objectContaining({ code: 'invalid-argument' }));
});

it.each([Number.NaN, Number.POSITIVE_INFINITY, -1, '60', null])('a bad maxAge is refused: %j', (maxAge) => {
  const make = () => createOutbox({ maxAge: maxAge as number, revoke: async () => {} });
  expect(make).toThrow(expect.objectContaining({ code: 'invalid-argument' }));
});

it('dispose ends the timer, also of a delivery that fails later', async () => {
  const answer = deferred<void>();
  const { outbox } = await open({ revoke: () => answer.promise });
  const revoked = outbox.revoke(RECORD);
  await settle();
  outbox.dispose();
  answer.reject(offline);
  await expect(revoked).rejects.toBe(offline);
  expect(vi.getTimerCount()).toBe(0);
  expect(stored()?.length).toBe(1);
});
