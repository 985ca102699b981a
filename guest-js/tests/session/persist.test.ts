// Failed writes: memory keeps the token, the snapshot says so, the write is tried again.

import { beforeEach, describe, expect, it, vi } from 'vitest';
import { FakeVault, rejection } from '../support/fake-vault.js';
import { freshPage, snapshotOf, until } from '../support/helpers.js';

let createSession: typeof import('../../session/session.js').createSession;
let vault: FakeVault;

beforeEach(async () => {
  vi.useFakeTimers();
  ({ createSession } = await freshPage());
  vault = new FakeVault({ default: { token: 't1', refreshToken: 'r1' } });
});

describe('a login that cannot be stored', () => {
  it('is not a rejection: the token works, and the snapshot says that it is not kept', async () => {
    const onError = vi.fn();
    const session = createSession({ onError });
    await session.ready();
    vault.fail('set_token', rejection('locked'));
    expect(await session.login({ token: 'u1' })).toMatchObject({
      status: 'signedIn',
      persisted: false,
      error: { code: 'locked' },
    });
    expect(session.getToken()).toBe('u1');
    expect(onError.mock.calls).toMatchObject([[{ code: 'locked' }]]);
  });

  it('is tried again until it works, later and later', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(1);
    const session = createSession();
    await session.ready();
    vault.fail('set_token', rejection('locked'), 9);
    await session.login({ token: 'u1' });
    const delays: number[] = [];
    for (let turn = 0; turn < 9; turn++) {
      const [before, calls] = [Date.now(), vault.count('set_token')];
      while (vault.count('set_token') === calls) await vi.advanceTimersToNextTimerAsync();
      delays.push((Date.now() - before) / 1000);
    }
    expect(delays).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60]);
    expect(session.getSnapshot()).toEqual(snapshotOf({ status: 'signedIn', persisted: true }));
    expect(vault.records.get('default')).toEqual({ token: 'u1' });
    expect(vi.getTimerCount()).toBe(0);
  });

  it.each([
    [0, 500],
    [0.5, 750],
    [0.999, 999],
  ])('the delay is spread: random %d waits %d ms', async (random, delay) => {
    vi.spyOn(Math, 'random').mockReturnValue(random);
    const session = createSession();
    await session.ready();
    vault.fail('set_token', rejection('timeout'));
    await session.login({ token: 'u1' });
    await vi.advanceTimersByTimeAsync(delay - 1);
    expect(vault.count('set_token')).toBe(1);
    await vi.advanceTimersByTimeAsync(2);
    expect(vault.count('set_token')).toBe(2);
  });

  it('is tried again by hydrate at once', async () => {
    const session = createSession();
    await session.ready();
    vault.fail('set_token', rejection('locked'));
    await session.login({ token: 'u1' });
    expect(await session.hydrate()).toEqual(snapshotOf({ status: 'signedIn', persisted: true }));
    expect(vault.records.get('default')).toEqual({ token: 'u1' });
  });

  it.each(['denied', 'misconfigured', 'too-large', 'forbidden', 'internal'] as const)(
    '%s cannot get better by waiting: no timer',
    async (code) => {
      const session = createSession();
      await session.ready();
      vault.fail('set_token', rejection(code));
      await session.login({ token: 'u1' });
      expect(vi.getTimerCount()).toBe(0);
    },
  );
});

it('a rotation that cannot be stored: memory works, the failure is reported, the write is tried again', async () => {
  const onError = vi.fn();
  const session = createSession({ refresh: async () => ({ token: 't2', refreshToken: 'r2' }), onError });
  await session.ready();
  vault.fail('set_token', rejection('locked'), 2);
  expect(await session.refresh()).toBe('t2');
  expect(session.getSnapshot()).toMatchObject({ persisted: false, error: { code: 'locked' } });
  expect(onError.mock.calls).toMatchObject([[{ code: 'locked' }]]);
  await vi.runAllTimersAsync();
  expect(session.getSnapshot()).toEqual(snapshotOf({ status: 'signedIn', persisted: true }));
  expect(vault.records.get('default')).toEqual({ token: 't2', refreshToken: 'r2' });
});

it('remember: false keeps a session out of the store, and replaces the one that is there', async () => {
  const session = createSession({ refresh: async () => ({ token: 'u2', refreshToken: 's2' }) });
  await session.ready();
  const login = session.login({ token: 'u1', refreshToken: 's1' }, { remember: false });
  expect(await login).toEqual(snapshotOf({ status: 'signedIn', persisted: false }));
  expect(await session.refresh()).toBe('u2');
  expect(session.getSnapshot()).toEqual(snapshotOf({ status: 'signedIn', persisted: false }));
  expect(vault.records.size).toBe(0);
  expect(vault.count('set_token')).toBe(0);
});

describe('a logout that cannot clear the store', () => {
  it('signs out, says so, and tries again', async () => {
    const session = createSession();
    await session.ready();
    vault.fail('clear_token', rejection('locked'), 2);
    expect(await session.logout()).toMatchObject({
      status: 'signedOut',
      persisted: false,
      error: { code: 'locked' },
    });
    expect(session.getToken()).toBeUndefined();
    await vi.runAllTimersAsync();
    expect(session.getSnapshot().persisted).toBe(true);
    expect(session.getSnapshot()).toEqual(snapshotOf({ status: 'signedOut', persisted: true }));
    expect(vault.count('clear_token')).toBe(3);
    expect(vault.records.size).toBe(0);
  });

  it('still revokes', async () => {
    const revoke = vi.fn(async () => {});
    const session = createSession({ revoke });
    await session.ready();
    vault.fail('clear_token', rejection('locked'));
    await session.logout();
    await until(() => expect(revoke.mock.calls).toEqual([[{ token: 't1', refreshToken: 'r1' }]]));
  });

  it('then a login: the retry writes the new token and clears nothing', async () => {
    const session = createSession();
    await session.ready();
    vault.fail('clear_token', rejection('locked'));
    await session.logout();
    await session.login({ token: 'u1' });
    await vi.runAllTimersAsync();
    expect(vault.count('clear_token')).toBe(1);
    expect(vault.records.get('default')).toEqual({ token: 'u1' });
    expect(session.getSnapshot()).toEqual(snapshotOf({ status: 'signedIn', persisted: true }));
  });
});
