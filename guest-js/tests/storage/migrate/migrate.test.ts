// migrateFrom: what is moved, what is refused, and which of two tokens stays.

import { inspect } from 'node:util';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { TokenRecord } from '../../../ipc/commands.js';
import { freshPage, snapshotOf, untilStatus } from '../../support/helpers.js';
import { OLD, World } from './world.js';

afterEach(() => {
  vi.unstubAllGlobals();
});

/** A Web Storage with one item. */
function stubLocalStorage(key: string, value: string) {
  const items = new Map([[key, value]]);
  vi.stubGlobal('localStorage', {
    getItem: (name: string) => items.get(name) ?? null,
    removeItem: (name: string) => items.delete(name),
  });
  return items;
}

describe('a key of localStorage', () => {
  it('is moved and removed; other keys stay', async () => {
    const world = new World(undefined);
    const items = stubLocalStorage('token', 't1');
    items.set('theme', 'dark');
    const { migrateFrom } = await import('../../../storage/migrate.js');
    expect(await migrateFrom('token')).toBe('moved');
    expect(world.stored).toEqual({ token: 't1' });
    expect([...items]).toEqual([['theme', 'dark']]);
    expect(await migrateFrom('token')).toBe('absent');
  });

  it('goes to the account that is asked for, through the parse that is given', async () => {
    const world = new World(undefined);
    stubLocalStorage('auth', '{"access_token":"a1","refresh_token":"r1","user":{"name":"Ada"}}');
    const { migrateFrom } = await import('../../../storage/migrate.js');
    const parse = (text: string) => {
      const { access_token, refresh_token } = JSON.parse(text);
      return { token: access_token, refreshToken: refresh_token };
    };
    expect(await migrateFrom('auth', { account: 'work', parse })).toBe('moved');
    expect([...world.vault.records]).toEqual([['work', { token: 'a1', refreshToken: 'r1' }]]);
  });
});

describe('by default', () => {
  it.each<[unknown, TokenRecord]>([
    ['eyJhbGciOi.eyJzdWIi.c2ln-_~+/==', { token: 'eyJhbGciOi.eyJzdWIi.c2ln-_~+/==' }],
    ['17|laravelSanctum', { token: '17|laravelSanctum' }],
    ['"quoted"', { token: 'quoted' }],
    [JSON.stringify(OLD), OLD],
    ['{"token":"t1"}', { token: 't1' }],
    [
      { token: 't1', expiresAt: 0 },
      { token: 't1', expiresAt: 0 },
    ],
    [OLD, OLD],
  ])('%o is a token', async (old, record) => {
    const world = new World(old);
    expect(await world.run()).toBe('moved');
    expect(world.stored).toEqual(record);
    expect(world.old).toBeUndefined();
  });

  it.each<[unknown]>([
    [''],
    [' '],
    ['two words'],
    ['null'],
    ['undefined'],
    ['true'],
    ['42'],
    ['[]'],
    ['["SECRET"]'],
    ['{}'],
    ['{"token":"SECRET"'],
    ['"SECRET'],
    ['[object Object]'],
    ['{"token":""}'],
    ['{"token":1}'],
    ['{"token":"SECRET","refreshToken":null}'],
    ['{"token":"SECRET","expiresAt":"2026"}'],
    ['{"token":"SECRET","expiresAt":1.5}'],
    ['{"token":"SECRET","user":{"name":"Ada"}}'],
    ['{"token":"SECRET","account":"admin"}'],
    ['{"token":"SECRET","ifRevision":0}'],
    ['{"access_token":"SECRET"}'],
    [false],
    [0],
    [42],
    [new Uint8Array([1, 2])],
    [{ token: 'SECRET\0' }],
  ])('P1 %o is not: a typed error, nothing changes', async (old) => {
    const world = new World(old);
    const error = await world.run().catch((error) => error);
    expect(error).toMatchObject({ name: 'SecureTokenError', code: 'invalid-argument' });
    expect(world.calls).toEqual(['read']);
    expect(world.old).toBe(old);
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain('SECRET');
  });

  it.each([undefined, null])('%s is no old value', async (old) => {
    const world = new World(old, { token: 't1' });
    expect(await world.run()).toBe('absent');
    expect(world.calls).toEqual(['read']);
    expect(world.stored).toEqual({ token: 't1' });
  });

  it('P1 a token over 1 MiB is too large, and kept', async () => {
    const world = new World('x'.repeat((1 << 20) + 1));
    await expect(world.run()).rejects.toMatchObject({ code: 'too-large' });
    expect(world.old).toBeDefined();
  });
});

it('P4 what a parse throws is not repeated', async () => {
  const world = new World('SECRET');
  const error = await world.run(undefined, { parse: () => JSON.parse('SECRET') }).catch((error) => error);
  expect(error.code).toBe('invalid-argument');
  expect(inspect(error, { depth: 9, showHidden: true })).not.toContain('SECRET');
  expect(world.old).toBe('SECRET');
});

describe('P1 the old value is kept', () => {
  it('outside Tauri', async () => {
    const items = stubLocalStorage('token', 't1');
    Reflect.deleteProperty(globalThis, '__TAURI_INTERNALS__');
    const { migrateFrom } = await import('../../../storage/migrate.js');
    await expect(migrateFrom('token')).rejects.toMatchObject({ code: 'unavailable' });
    expect(items.size).toBe(1);
  });

  it('when the store does not outlive the app', async () => {
    const world = new World(OLD);
    world.vault.persistent = false;
    await expect(world.run()).rejects.toMatchObject({ code: 'unavailable' });
    expect(world.old).toEqual(OLD);
    expect(world.vault.records.size).toBe(0);
  });

  it.each(['lost', 'corrupt', 'denied', 'forbidden', 'timeout'] as const)(
    'when the account is %s',
    async (code) => {
      const world = new World(OLD);
      world.vault.fail('get_token', { code, message: '' });
      await expect(world.run()).rejects.toMatchObject({ name: 'SecureTokenError', code });
      expect(world.old).toEqual(OLD);
      expect(world.vault.count('set_token')).toBe(0);
    },
  );

  it.each<[string, TokenRecord | undefined]>([
    ['nothing', undefined],
    ['half of it', { token: 'old' }],
    ['another token', { ...OLD, token: 'ol' }],
  ])('when the store acknowledges the write but holds %s', async (_, held) => {
    const world = new World(OLD);
    const open = world.vault.hold('set_token', 'after');
    const running = world.run();
    await vi.waitFor(() => expect(world.stored).toEqual(OLD));
    if (held) world.vault.records.set('default', held);
    else world.vault.records.clear();
    open();
    await expect(running).rejects.toMatchObject({ code: 'internal' });
    expect(world.old).toEqual(OLD);
  });

  it('when it changed during the call: what was not moved is not removed', async () => {
    const world = new World(OLD);
    const open = world.vault.hold('set_token', 'after');
    const running = world.run();
    await vi.waitFor(() => expect(world.stored).toEqual(OLD));
    world.old = { token: 'written by the old code' };
    open();
    await expect(running).rejects.toMatchObject({ code: 'conflict' });
    expect(world.old).toEqual({ token: 'written by the old code' });
  });

  it('when it is the record of this plugin, read by a plugin that used the same names', async () => {
    const envelope = 'secure-token.v1.eyJ0b2tlbiI6InQxIn0.AAAA';
    const world = new World(envelope, { token: 't1' });
    await expect(world.run()).rejects.toMatchObject({ code: 'invalid-argument' });
    expect(world.old).toBe(envelope);
  });
});

it('a removal that did nothing is an error', async () => {
  const world = new World(OLD);
  world.source.remove = async () => {};
  await expect(world.run()).rejects.toMatchObject({ code: 'internal' });
  expect(world.stored).toEqual(OLD);
});

describe('P3 a newer record wins', () => {
  it('over a login that comes between the read and the write', async () => {
    const world = new World(OLD);
    const open = world.vault.hold('store_info');
    const running = world.run();
    await vi.waitFor(() => expect(world.vault.count('store_info')).toBe(1));
    world.vault.change({ token: 'of the login' });
    open();
    expect(await running).toBe('superseded');
    expect(world.stored).toEqual({ token: 'of the login' });
    expect(world.old).toBeUndefined();
  });

  it('over a login that comes between the write and its check', async () => {
    const world = new World(OLD);
    const open = world.vault.hold('set_token', 'after');
    const running = world.run();
    await vi.waitFor(() => expect(world.stored).toEqual(OLD));
    world.vault.change({ token: 'of the login' });
    open();
    expect(await running).toBe('superseded');
    expect(world.stored).toEqual({ token: 'of the login' });
  });

  it('a logout in this run of the app is not undone: conflict', async () => {
    const world = new World(OLD);
    world.vault.change({ token: 'of the login' });
    world.vault.change(undefined);
    await expect(world.run()).rejects.toMatchObject({ code: 'conflict' });
    expect(world.vault.records.size).toBe(0);
  });

  it('a logout after it does not bring the old value back', async () => {
    const world = new World(OLD, { token: 'of the login' });
    await world.run();
    world.vault.change(undefined);
    expect(await world.run()).toBe('absent');
    expect(world.vault.records.size).toBe(0);
  });
});

it('two windows at once: both end well, and the token is there once', async () => {
  const world = new World(OLD);
  const { migrateFrom } = await import('../../../storage/migrate.js');
  const done = await Promise.all([migrateFrom(world.source), migrateFrom(world.source)]);
  expect(done).toEqual(['moved', 'moved']);
  expect(world.stored).toEqual(OLD);
  expect(world.old).toBeUndefined();
});

describe('with a session', () => {
  it('made after it: signed in', async () => {
    const world = new World(OLD);
    await world.run();
    const session = (await freshPage()).createSession();
    expect(await session.ready()).toEqual(
      snapshotOf({ status: 'signedIn', persisted: true, expiresAt: OLD.expiresAt }),
    );
    expect(session.getToken()).toBe('old');
  });

  it('made before it: takes the token over, hydrate waits for that', async () => {
    const world = new World(OLD);
    const session = (await freshPage()).createSession();
    await untilStatus(session, 'signedOut');
    const { migrateFrom } = await import('../../../storage/migrate.js');
    await migrateFrom(world.source);
    expect(await session.hydrate()).toMatchObject({ status: 'signedIn' });
    expect(session.getToken()).toBe('old');
  });
});
