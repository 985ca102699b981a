// Without Tauri, as in plain `vite dev`: memory only, and one warning.

import { beforeEach, expect, it, vi } from 'vitest';
import { freshPage, snapshotOf, until } from '../support/helpers.js';

let createSession: typeof import('../../session/session.js').createSession;
let warn: ReturnType<typeof vi.spyOn>;

beforeEach(async () => {
  warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
  ({ createSession } = await freshPage());
});

it('is ready soon, signed out', async () => {
  const session = createSession();
  expect(session.getSnapshot()).toEqual(snapshotOf({ status: 'hydrating', persisted: false }));
  expect(await session.ready()).toEqual(snapshotOf({ status: 'signedOut', persisted: false }));
});

it('warns exactly once a page', async () => {
  const session = createSession();
  createSession({ account: 'other' });
  await session.login({ token: 't1' });
  await session.logout();
  expect(warn).toHaveBeenCalledTimes(1);
});

it('login, refresh, hydrate and logout work, and nothing is called persisted or an error', async () => {
  const onError = vi.fn();
  const revoke = vi.fn(async () => {});
  const session = createSession({ onError, revoke, refresh: async () => ({ token: 't2' }) });
  expect(await session.login({ token: 't1', refreshToken: 'r1' })).toEqual(
    snapshotOf({
      status: 'signedIn',
      persisted: false,
    }),
  );
  expect(await session.refresh('t1')).toBe('t2');
  const snapshot = session.getSnapshot();
  expect(await session.hydrate()).toBe(snapshot);
  expect(session.getToken()).toBe('t2');
  expect(await session.logout()).toEqual(snapshotOf({ status: 'signedOut', persisted: false }));
  expect(session.getToken()).toBeUndefined();
  await until(() => expect(revoke.mock.calls).toEqual([[{ token: 't2', refreshToken: 'r1' }]]));
  expect(onError).not.toHaveBeenCalled();
});

it('a refresh that ends the session signs out', async () => {
  const session = createSession({ refresh: () => Promise.reject({ status: 401 }) });
  await session.login({ token: 't1' });
  const listener = vi.fn();
  session.listen(listener);
  expect(await session.refresh()).toBeUndefined();
  expect(listener.mock.calls).toEqual([[snapshotOf({ status: 'signedOut', persisted: false })]]);
});

it('dispose works', () => {
  createSession().dispose();
});
