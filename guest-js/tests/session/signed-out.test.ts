// onSignedOut: told once of each end of a session, with its reason and without a token.

import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { SessionOptions } from '../../session/session.js';
import { FakeVault, rejection } from '../support/fake-vault.js';
import { freshPage, settle, until, untilPersisted, untilStatus } from '../support/helpers.js';

let createSession: typeof import('../../session/session.js').createSession;
let vault: FakeVault;

beforeEach(async () => {
  ({ createSession } = await freshPage());
  vault = new FakeVault({ default: { token: 't1', refreshToken: 'r1' } });
});

async function signedIn(options: SessionOptions = {}) {
  const onSignedOut = vi.fn();
  const session = createSession({ ...options, onSignedOut });
  await session.ready();
  return { session, onSignedOut };
}

const refused = () => Promise.reject({ status: 400, error: 'invalid_grant' });

describe('the reason', () => {
  it('logout, at once, and after the listeners', async () => {
    const order: string[] = [];
    const { session, onSignedOut } = await signedIn();
    session.listen(({ status }) => order.push(status));
    onSignedOut.mockImplementation((reason) => order.push(reason));
    const done = session.logout();
    expect(order).toEqual(['signedOut', 'logout']);
    await done;
    expect(onSignedOut.mock.calls).toEqual([['logout']]);
  });

  it('refused', async () => {
    const { session, onSignedOut } = await signedIn({ refresh: refused });
    await Promise.all([session.refresh('t1'), session.refresh('t1')]);
    expect(onSignedOut.mock.calls).toEqual([['refused']]);
  });

  it('refused, outside Tauri too', async () => {
    Reflect.deleteProperty(globalThis, '__TAURI_INTERNALS__');
    vi.spyOn(console, 'warn').mockImplementation(() => {});
    const { session, onSignedOut } = await signedIn({ refresh: refused });
    await session.login({ token: 'u1' });
    await session.refresh();
    await session.login({ token: 'u2' });
    await session.logout();
    expect(onSignedOut.mock.calls).toEqual([['refused'], ['logout']]);
  });

  it('elsewhere: the strict command of another window emptied the account', async () => {
    const { session, onSignedOut } = await signedIn();
    vault.change(undefined);
    await untilStatus(session, 'signedOut');
    expect(onSignedOut.mock.calls).toEqual([['elsewhere']]);
  });

  it('logout: another window logged out', async () => {
    const { session, onSignedOut } = await signedIn();
    await (await vault.otherWindow()).signOut();
    await untilStatus(session, 'signedOut');
    expect(onSignedOut.mock.calls).toEqual([['logout']]);
  });

  it('interrupted: as the owner says', async () => {
    const owner = vault.owner();
    const { onSignedOut } = await signedIn();
    const snapshot = await owner.hydrate();
    for (const page of owner.pages)
      owner.tell(page, {
        snapshot: { ...snapshot, status: 'signedOut', login: 9, revision: 99, reason: 'interrupted' },
      });
    await until(() => expect(onSignedOut.mock.calls).toEqual([['interrupted']]));
  });

  it('is that of this end, not of the one before', async () => {
    const { session, onSignedOut } = await signedIn({ refresh: refused });
    await session.logout();
    await session.login({ token: 'u1' });
    vault.change(undefined);
    await untilStatus(session, 'signedOut');
    await session.login({ token: 'u2' });
    await session.refresh();
    expect(onSignedOut.mock.calls).toEqual([['logout'], ['elsewhere'], ['refused']]);
  });
});

describe('once', () => {
  it('also when the store cannot be cleared, and the clear is tried again', async () => {
    const { session, onSignedOut } = await signedIn();
    vault.fail('clear_token', rejection('denied'), 2);
    await session.logout();
    await session.hydrate();
    await session.hydrate();
    expect(session.getSnapshot().persisted).toBe(true);
    expect(onSignedOut.mock.calls).toEqual([['logout']]);
  });

  it('also when logout is called twice, or after a refusal', async () => {
    const { session, onSignedOut } = await signedIn({ refresh: refused });
    void session.logout();
    await session.logout();
    await session.login({ token: 'u1' });
    await session.refresh();
    await session.logout();
    expect(onSignedOut.mock.calls).toEqual([['logout'], ['refused']]);
  });

  it('also when a logout comes before the store has answered to a refusal', async () => {
    const { session, onSignedOut } = await signedIn({ refresh: refused });
    const open = vault.hold('clear_token', 'before');
    const refreshed = session.refresh();
    await until(() => expect(vault.count('clear_token')).toBe(1));
    const logout = session.logout();
    open();
    await Promise.all([refreshed, logout]);
    expect(onSignedOut.mock.calls).toEqual([['refused']]);
  });

  it('a listener that signs in again hears nothing of its own login', async () => {
    const { session, onSignedOut } = await signedIn();
    onSignedOut.mockImplementationOnce(() => void session.login({ token: 'u1' }));
    await session.logout();
    await untilPersisted(session);
    expect(session.getToken()).toBe('u1');
    expect(vault.records.get('default')).toEqual({ token: 'u1' });
    expect(onSignedOut.mock.calls).toEqual([['logout']]);
    await session.logout();
    expect(onSignedOut.mock.calls).toEqual([['logout'], ['logout']]);
  });

  it('a listener of the snapshot that signs in again does not hide the end', async () => {
    const { session, onSignedOut } = await signedIn();
    const end = session.listen(({ status }) => {
      end();
      if (status === 'signedOut') void session.login({ token: 'u1' });
    });
    await session.logout();
    expect(onSignedOut.mock.calls).toEqual([['logout']]);
    await session.logout();
    expect(onSignedOut.mock.calls).toEqual([['logout'], ['logout']]);
  });
});

describe('never', () => {
  it('of a start without a token, or of a logout while nobody was signed in', async () => {
    vault.records.clear();
    const { session, onSignedOut } = await signedIn();
    await session.logout();
    expect(onSignedOut).not.toHaveBeenCalled();
  });

  it('of a logout before the store has answered: the snapshot never said that somebody was signed in', async () => {
    vault.hold('get_token');
    const onSignedOut = vi.fn();
    const session = createSession({ onSignedOut });
    void session.logout();
    await settle();
    expect(onSignedOut).not.toHaveBeenCalled();
  });

  it('of a login over a login, a refresh, or a failed read', async () => {
    const { session, onSignedOut } = await signedIn({ refresh: async () => ({ token: 't2' }) });
    await session.login({ token: 'u1' });
    await session.refresh();
    await untilPersisted(session);
    vault.fail('get_token', rejection('locked'));
    await session.hydrate();
    expect(onSignedOut).not.toHaveBeenCalled();
  });

  it.each([[{ status: 429 }], [{ status: 500 }], [{ status: 503 }], [new TypeError('Failed to fetch')]])(
    'of a failure that is no refusal: %o',
    async (cause) => {
      const { session, onSignedOut } = await signedIn({ refresh: () => Promise.reject(cause) });
      for (let turn = 0; turn < 3; turn++) await session.refresh().catch(() => {});
      expect(session.getSnapshot().status).toBe('signedIn');
      expect(onSignedOut).not.toHaveBeenCalled();
    },
  );

  it('of dispose', async () => {
    const { session, onSignedOut } = await signedIn();
    session.dispose();
    vault.change(undefined);
    await settle();
    expect(onSignedOut).not.toHaveBeenCalled();
  });
});

it('one that throws stops neither the logout nor the listeners', async () => {
  const reported = vi.spyOn(globalThis, 'queueMicrotask').mockImplementation(() => {});
  const { session, onSignedOut } = await signedIn();
  onSignedOut.mockImplementation(() => {
    throw new Error('a bug of the app');
  });
  await session.logout();
  expect(vault.records.size).toBe(0);
  expect(reported.mock.calls[0]?.[0]).toThrow('a bug of the app');
});
