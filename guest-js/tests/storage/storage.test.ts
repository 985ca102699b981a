// The asynchronous storage: what it stores, in which order, and what it answers when the store cannot.

import { beforeEach, describe, expect, it, vi } from 'vitest';
import { errorCodes } from '../../ipc/errors.js';
import type { SecureStorage } from '../../storage/storage.js';
import { FakeVault, rejection } from '../support/fake-vault.js';
import { settle } from '../support/helpers.js';
import { account, freshStorage, kept, type StoragePage, stored } from './page.js';

let page: StoragePage;
let vault: FakeVault;
let storage: SecureStorage;

beforeEach(async () => {
  page = await freshStorage();
  vault = new FakeVault();
  storage = page.createSecureStorage();
});

describe('the methods', () => {
  it('set, get, has and remove', async () => {
    expect(await storage.getItem('k')).toBeNull();
    expect(await storage.hasItem('k')).toBe(false);
    expect(await storage.setItem('k', 'v1')).toBeUndefined();
    await storage.setItem('k', 'v2');
    expect(await storage.getItem('k')).toBe('v2');
    expect(await storage.hasItem('k')).toBe(true);
    expect(await storage.removeItem('k')).toBeUndefined();
    expect(await storage.getItem('k')).toBeNull();
    await storage.removeItem('k');
  });

  it('an empty value is a value', async () => {
    await storage.setItem('', '');
    expect(await storage.getItem('')).toBe('');
    expect(await storage.hasItem('')).toBe(true);
    expect(await storage.getKeys()).toEqual(['']);
  });

  it('getKeys, key and length', async () => {
    for (const key of ['a', 'b', 'c']) await storage.setItem(key, key);
    expect(await storage.getKeys()).toEqual(['a', 'b', 'c']);
    expect(await storage.length).toBe(3);
    expect(await storage.key(1)).toBe('b');
    for (const index of [3, -1, 0.5, Number.NaN]) expect(await storage.key(index)).toBeNull();
  });

  it('work detached from the object', async () => {
    const { setItem, getItem, hasItem, getKeys, key, removeItem, clear } = storage;
    await setItem('k', 'v');
    expect([await getItem('k'), await hasItem('k'), await getKeys(), await key(0)]).toEqual([
      'v',
      true,
      ['k'],
      'k',
    ]);
    await removeItem('k');
    await clear();
  });

  it('ignore further arguments', async () => {
    const more = vi.fn();
    const loose = storage as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>;
    await loose.setItem?.('k', 'v', more, 1);
    expect(await loose.getItem?.('k', more)).toBe('v');
    await loose.removeItem?.('k', more);
    await loose.clear?.(more);
    expect(more).not.toHaveBeenCalled();
    expect(vault.records.size).toBe(0);
  });

  it('a value of 100 KB comes back whole', async () => {
    const value = 'é%'.repeat(33_000);
    await storage.setItem('k', value);
    expect(await storage.getItem('k')).toBe(value);
  });

  it('watch hears changes of this window and of others, of this namespace only', async () => {
    const seen = vi.fn();
    const end = await storage.watch(seen);
    await storage.setItem('k', 'v');
    vault.change(undefined, account('k'));
    vault.change({ token: '=v' }, account('k', 'other'));
    vault.change({ token: 't' });
    expect(seen.mock.calls).toEqual([
      ['update', 'k'],
      ['remove', 'k'],
    ]);
    end();
    await storage.setItem('k', 'v');
    expect(seen).toHaveBeenCalledTimes(2);
  });
});

describe('namespaces', () => {
  it('do not see each other, nor the accounts of sessions', async () => {
    new FakeVault({
      default: { token: 't' },
      storage: { token: 't' },
      'storage/a': { token: 't' },
      ...stored({ k: 'a' }, 'a'),
      ...stored({ k: 'ab' }, 'ab'),
    });
    const a = page.createSecureStorage({ namespace: 'a' });
    expect(await a.getKeys()).toEqual(['k']);
    expect(await a.getItem('k')).toBe('a');
    expect(await a.getItem('b/k')).toBeNull();
    expect(await storage.getItem('default')).toBeNull();
  });

  it('P3 clear empties its own and nothing else', async () => {
    const others = { default: { token: 't' }, 'storage/a': { token: 't' }, ...stored({ k: '1' }, 'ab') };
    const own = new FakeVault({ ...others, ...stored({ k: '1', l: '2' }, 'a') });
    await page.createSecureStorage({ namespace: 'a' }).clear();
    expect(Object.fromEntries(own.records)).toEqual(others);
  });

  it('clear with a base removes the keys that begin with it', async () => {
    for (const key of ['a:1', 'a:2', 'ab']) await storage.setItem(key, 'v');
    await storage.clear('a:');
    expect(await storage.getKeys()).toEqual(['ab']);
  });

  it('P3 clear removes what it can, and rejects when something stayed', async () => {
    for (const key of ['a', 'b', 'c']) await storage.setItem(key, 'v');
    vault.fail('clear_token', rejection('timeout'));
    await expect(storage.clear()).rejects.toMatchObject({ code: 'timeout' });
    expect(await storage.length).toBe(1);
  });
});

describe('P1 a store that cannot answer rejects, and never says null', () => {
  const reads: [string, (own: SecureStorage) => Promise<unknown>, 'get_token' | 'list_accounts'][] = [
    ['getItem', (own) => own.getItem('k'), 'get_token'],
    ['hasItem', (own) => own.hasItem('k'), 'get_token'],
    ['getKeys', (own) => own.getKeys(), 'list_accounts'],
    ['key', (own) => own.key(0), 'list_accounts'],
    ['length', (own) => own.length, 'list_accounts'],
    ['clear', (own) => own.clear(), 'list_accounts'],
  ];
  it.each(
    errorCodes.flatMap((code) => reads.map(([name, read, command]) => ({ code, name, read, command }))),
  )('$name: $code', async ({ code, read, command }) => {
    await storage.setItem('k', 'v');
    vault.fail(command, rejection(code));
    await expect(read(storage)).rejects.toMatchObject({ name: 'SecureTokenError', code });
    expect(kept(vault, 'k')).toBe('v');
    expect(vault.count('set_token') + vault.count('clear_token')).toBe(1);
  });

  it('a record that no storage wrote is corrupt, and stays', async () => {
    const foreign = { token: 'SECRET' };
    vault.change(foreign, account('k'));
    const error = (await storage.getItem('k').catch((error) => error)) as Error;
    expect(error).toMatchObject({ code: 'corrupt' });
    expect(`${error.message}${error.stack}`).not.toContain('SECRET');
    expect(vault.records.get(account('k'))).toEqual(foreign);
    await storage.setItem('k', 'v');
    expect(await storage.getItem('k')).toBe('v');
  });
});

it('a failed write or removal rejects and changes nothing', async () => {
  await storage.setItem('k', 'old');
  vault.fail('set_token', rejection('locked'));
  await expect(storage.setItem('k', 'new')).rejects.toMatchObject({ code: 'locked', retryable: true });
  vault.fail('clear_token', rejection('denied'));
  await expect(storage.removeItem('k')).rejects.toMatchObject({ code: 'denied' });
  expect(await storage.getItem('k')).toBe('old');
});

it('P4 bad arguments reject without being sent or shown', async () => {
  const loose = storage as unknown as {
    setItem(key: unknown, value: unknown): Promise<void>;
    getItem(key: unknown): Promise<unknown>;
  };
  const secret = { toString: () => 'SECRET' };
  const long = 'SECRET'.repeat(100);
  const tries = [
    loose.setItem('k', undefined),
    loose.setItem('k', secret),
    loose.setItem(secret, 'v'),
    loose.getItem(1),
    storage.setItem(long, 'v'),
    storage.getItem(long),
    storage.removeItem(long),
    storage.hasItem(long),
  ];
  for (const result of tries) {
    expect(result).toBeInstanceOf(Promise);
    const error = (await result.catch((error) => error)) as Error;
    expect(error).toMatchObject({ name: 'SecureTokenError', code: 'invalid-argument' });
    expect(error.message).not.toContain('SECRET');
  }
  await expect(storage.setItem('k', 'S'.repeat(1 << 20))).rejects.toMatchObject({ code: 'too-large' });
  expect(vault.calls).toEqual([]);
});

describe('the order of calls, though answers of the store may be late', () => {
  it('P3 a removal wins over a slow write that was called before', async () => {
    const open = vault.hold('set_token', 'before');
    const written = storage.setItem('k', 'v');
    const removed = storage.removeItem('k');
    await settle();
    expect(vault.count('clear_token')).toBe(0);
    open();
    await Promise.all([written, removed]);
    expect(kept(vault, 'k')).toBeUndefined();
  });

  it('the last of many writes stays, also over two storages of one namespace', async () => {
    const open = vault.hold('set_token', 'before');
    const writes = ['1', '2', '3'].map((value, index) =>
      (index % 2 ? page.createSecureStorage() : storage).setItem('k', value),
    );
    open();
    await Promise.all(writes);
    expect(kept(vault, 'k')).toBe('3');
    expect(vault.calls.map(({ args }) => args.token)).toEqual(['=1', '=2', '=3']);
  });

  it('a read sees the write that was called before', async () => {
    const open = vault.hold('set_token', 'before');
    void storage.setItem('k', 'v');
    const reads = Promise.all([storage.getItem('k'), storage.hasItem('k'), storage.getKeys()]);
    await settle();
    open();
    expect(await reads).toEqual(['v', true, ['k']]);
  });

  it('P3 clear takes along a slow write of before, and leaves one of after', async () => {
    const open = vault.hold('set_token', 'before');
    const before = storage.setItem('before', 'v');
    const cleared = storage.clear();
    const after = storage.setItem('after', 'v');
    await settle();
    open();
    await Promise.all([before, cleared, after]);
    expect(await storage.getKeys()).toEqual(['after']);
  });

  it('a failed write does not stop the next one', async () => {
    vault.fail('set_token', rejection('timeout'));
    const first = storage.setItem('k', '1');
    const second = storage.setItem('k', '2');
    await expect(first).rejects.toMatchObject({ code: 'timeout' });
    await second;
    expect(kept(vault, 'k')).toBe('2');
  });

  it('P6 another key does not wait', async () => {
    vault.hold('set_token', 'before');
    void storage.setItem('slow', 'v');
    await storage.setItem('other', 'v');
    expect(await storage.getItem('other')).toBe('v');
  });
});
