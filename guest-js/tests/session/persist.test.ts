// Failed writes: memory keeps the token, the snapshot says so, the write is tried again, a used-up token goes.

import { beforeEach, describe, expect, it, vi } from 'vitest';
import { FakeVault, rejection } from '../support/fake-vault.js';
import { freshPage, until } from '../support/helpers.js';

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
    expect(session.getSnapshot()).toEqual({ status: 'signedIn', persisted: true });
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
    expect(await session.hydrate()).toEqual({ status: 'signedIn', persisted: true });
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

  it('clears the token of the earlier login, which must not come back at the next start', async () => {
    const session = createSession();
    await session.ready();
    vault.fail('set_token', rejection('too-large'));
    await session.login({ token: 'u1' });
    expect(vault.records.size).toBe(0);
    expect(session.getToken()).toBe('u1');
    expect(session.getSnapshot()).toMatchObject({ persisted: false, error: { code: 'too-large' } });
  });
});

it('a token of the earlier login is cleared also when the clear of a login before lands late', async () => {
  const session = createSession();
  await session.ready();
  vi.spyOn(vault, 'notify').mockImplementation(() => {});
  vault.fail('set_token', rejection('locked'), 2);
  const open = vault.hold('clear_token');
  const first = session.login({ token: 'u1' });
  await until(() => expect(vault.count('clear_token')).toBe(1));
  const second = session.login({ token: 'u2' });
  vault.change({ token: 't9', refreshToken: 'r9' });
  open();
  await Promise.all([first, second]);
  expect(session.getSnapshot()).toMatchObject({ persisted: false, error: { code: 'locked' } });
  expect(vault.count('clear_token')).toBe(2);
  expect(vault.records.size).toBe(0);
});

describe('a write that fails after a rotation', () => {
  const rotate = async () => ({ token: 't2', refreshToken: 'r2' });

  it('clears the used-up token: a replay at the next start would end the session', async () => {
    const session = createSession({ refresh: rotate });
    await session.ready();
    vault.fail('set_token', rejection('locked'));
    expect(await session.refresh()).toBe('t2');
    await vi.waitFor(() => expect(vault.count('clear_token')).toBe(1), { interval: 1 });
    expect(vault.last('clear_token')).toEqual({ account: 'default', ifRevision: 0 });
    expect(vault.records.size).toBe(0);
    expect(session.getToken()).toBe('t2');
    await vi.runAllTimersAsync();
    expect(session.getSnapshot().persisted).toBe(true);
    expect(vault.records.get('default')).toEqual({ token: 't2', refreshToken: 'r2' });
    expect(vault.last('set_token')).toMatchObject({ ifRevision: 1 });
  });

  it('when that cannot be cleared either: memory works, both failures are reported, and all is tried again', async () => {
    const onError = vi.fn();
    const session = createSession({ refresh: rotate, onError });
    await session.ready();
    vault.fail('set_token', rejection('locked'), 2);
    vault.fail('clear_token', rejection('timeout'));
    await session.refresh();
    await until(() => expect(session.getSnapshot().error?.code).toBe('locked'));
    expect(onError.mock.calls.slice(0, 2)).toMatchObject([[{ code: 'timeout' }], [{ code: 'locked' }]]);
    expect(vault.records.get('default')).toEqual({ token: 't1', refreshToken: 'r1' });
    await vi.runAllTimersAsync();
    expect(session.getSnapshot().persisted).toBe(true);
    expect(vault.count('clear_token')).toBe(2);
    expect(vault.records.get('default')).toEqual({ token: 't2', refreshToken: 'r2' });
  });

  it('is cleared once, not at every try', async () => {
    const session = createSession({ refresh: rotate });
    await session.ready();
    vault.fail('set_token', rejection('locked'), 4);
    await session.refresh();
    await vi.runAllTimersAsync();
    expect(session.getSnapshot().persisted).toBe(true);
    expect(vault.count('set_token')).toBe(5);
    expect(vault.count('clear_token')).toBe(1);
  });

  it('P3 the clear of an earlier login does not speak for the one that came meanwhile', async () => {
    const session = createSession({ refresh: rotate });
    await session.ready();
    vault.fail('set_token', rejection('locked'), 2);
    const open = vault.hold('clear_token');
    await session.refresh();
    await until(() => expect(vault.count('clear_token')).toBe(1));
    const login = session.login({ token: 'u1' });
    vi.spyOn(vault, 'notify').mockImplementation(() => {});
    vault.change({ token: 't9', refreshToken: 'r9' });
    open();
    await login;
    // The second is what keeps t9, which is not of this login, from coming back at the next start.
    expect(vault.count('clear_token')).toBe(2);
  });

  it('leaves the stored record alone if its refresh token still works', async () => {
    const session = createSession({ refresh: async () => ({ token: 't2' }) });
    await session.ready();
    vault.fail('set_token', rejection('locked'));
    await session.refresh();
    await vi.runAllTimersAsync();
    expect(session.getSnapshot().persisted).toBe(true);
    expect(vault.count('clear_token')).toBe(0);
  });

  it('takes over what another window wrote while it waited', async () => {
    const session = createSession({ refresh: rotate });
    await session.ready();
    vault.fail('set_token', rejection('locked'));
    vault.fail('clear_token', rejection('locked'));
    await session.refresh();
    await until(() => expect(session.getSnapshot().error).toBeDefined());
    vault.change({ token: 't9', refreshToken: 'r9' });
    await until(() => expect(session.getToken()).toBe('t9'));
    expect(session.getSnapshot()).toEqual({ status: 'signedIn', persisted: true });
    expect(vi.getTimerCount()).toBe(1);
    await vi.runAllTimersAsync();
    expect(vault.records.get('default')).toEqual({ token: 't9', refreshToken: 'r9' });
  });

  it('a write that timed out but landed is found by its retry', async () => {
    const session = createSession({ refresh: async () => ({ token: 't2' }) });
    await session.ready();
    vi.spyOn(vault, 'notify').mockImplementation(() => {});
    vault.fail('set_token', rejection('timeout'));
    await session.refresh();
    await until(() => expect(session.getSnapshot().error).toBeDefined());
    vault.change({ token: 't2', refreshToken: 'r1' });
    await vi.runAllTimersAsync();
    expect(session.getSnapshot().persisted).toBe(true);
    expect(session.getToken()).toBe('t2');
    expect(vault.count('set_token')).toBe(2);
  });

  it('a conflict whose read fails keeps the token and asks again', async () => {
    const session = createSession({ refresh: rotate });
    await session.ready();
    vi.spyOn(vault, 'notify').mockImplementation(() => {});
    vault.change({ token: 't9' });
    vault.fail('get_token', rejection('timeout'));
    await session.refresh();
    await until(() => expect(session.getSnapshot().error?.code).toBe('timeout'));
    expect(session.getToken()).toBe('t2');
    expect(session.getSnapshot()).toMatchObject({ status: 'signedIn', persisted: false });
    await vi.runAllTimersAsync();
    expect(session.getSnapshot().persisted).toBe(true);
    expect(session.getToken()).toBe('t9');
  });
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
    expect(session.getSnapshot()).toEqual({ status: 'signedOut', persisted: true });
    expect(vault.count('clear_token')).toBe(3);
    expect(vault.records.size).toBe(0);
  });

  it('still revokes', async () => {
    const revoke = vi.fn(async () => {});
    const session = createSession({ revoke });
    await session.ready();
    vault.fail('clear_token', rejection('locked'));
    await session.logout();
    expect(revoke.mock.calls).toEqual([[{ token: 't1', refreshToken: 'r1' }]]);
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
    expect(session.getSnapshot()).toEqual({ status: 'signedIn', persisted: true });
  });
});
