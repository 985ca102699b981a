// The mirror in memory: filled whole or not at all, written behind in order, in step with other windows.

import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { SyncStorage, SyncStorageOptions } from '../../storage/storage.js';
import { FakeVault, rejection } from '../support/fake-vault.js';
import { settle, until } from '../support/helpers.js';
import { account, freshStorage, kept, type StoragePage, stored } from './page.js';

let page: StoragePage;
let vault: FakeVault;
let mirrors: SyncStorage[];

beforeEach(async () => {
  page = await freshStorage();
  vault = new FakeVault(stored({ a: '1', b: '' }));
  mirrors = [];
});

afterEach(() => {
  for (const mirror of mirrors) mirror.dispose();
});

async function open(options?: SyncStorageOptions): Promise<SyncStorage> {
  const mirror = await page.createSyncStorage(options);
  mirrors.push(mirror);
  return mirror;
}

describe('hydration', () => {
  it('fills memory with all of the namespace, and nothing else', async () => {
    vault.change({ token: '=x' }, account('k', 'other'));
    vault.change({ token: 't' });
    const mirror = await open();
    expect(mirror.getKeys()).toEqual(['a', 'b']);
    expect([mirror.getItem('a'), mirror.getItem('b'), mirror.getItem('c')]).toEqual(['1', '', null]);
    expect(vault.count('set_token')).toBe(0);
  });

  it.each(['watch_tokens', 'list_accounts', 'get_token'] as const)(
    'P1 rejects when %s does, writes nothing, and a later call succeeds',
    async (command) => {
      const onError = vi.fn();
      vault.fail(command, rejection('locked'));
      await expect(open({ onError })).rejects.toMatchObject({ name: 'SecureTokenError', code: 'locked' });
      expect(onError).not.toHaveBeenCalled();
      expect((await open()).getItem('a')).toBe('1');
      expect(vault.count('set_token') + vault.count('clear_token')).toBe(0);
    },
  );

  it('P1 one corrupt value rejects it as a whole', async () => {
    vault.change({ token: 'not ours' }, account('c'));
    await expect(open()).rejects.toMatchObject({ code: 'corrupt' });
  });

  it('after a failed one no watch is left behind', async () => {
    vault.fail('get_token', rejection('locked'));
    await expect(open()).rejects.toThrow();
    const reads = vault.count('get_token');
    vault.change({ token: '=2' }, account('a'));
    await settle();
    expect(vault.count('get_token')).toBe(reads);
  });

  it('P3 a removal by another window while it reads is not undone', async () => {
    const answer = vault.hold('get_token', 'after');
    const opening = open();
    await until(() => expect(vault.count('get_token')).toBe(2));
    vault.change(undefined, account('a'));
    answer();
    expect((await opening).getItem('a')).toBeNull();
  });
});

describe('the methods', () => {
  it('answer from memory at once', async () => {
    const mirror = await open();
    mirror.setItem('c', '3');
    expect([mirror.getItem('c'), mirror.hasItem('c'), mirror.length, mirror.key(2)]).toEqual([
      '3',
      true,
      3,
      'c',
    ]);
    mirror.removeItem('a');
    expect([mirror.getItem('a'), mirror.hasItem('a'), mirror.getKeys()]).toEqual([null, false, ['b', 'c']]);
    expect([mirror.key(2), mirror.key(-1)]).toEqual([null, null]);
    mirror.clear();
    expect([mirror.length, mirror.getKeys()]).toEqual([0, []]);
    await mirror.flush();
    expect(vault.records.size).toBe(0);
  });

  it('clear with a base removes the keys that begin with it', async () => {
    const mirror = await open();
    mirror.setItem('ab', '2');
    mirror.clear('a');
    expect(mirror.getKeys()).toEqual(['b']);
    await mirror.flush();
    expect([...vault.records.keys()]).toEqual([account('b')]);
  });

  it('work detached from the object', async () => {
    const { setItem, getItem, removeItem, getKeys, hasItem, key, clear, flush } = await open();
    setItem('c', '3');
    expect([getItem('c'), hasItem('c'), getKeys().length, key(0)]).toEqual(['3', true, 3, 'a']);
    removeItem('c');
    clear();
    await flush();
    expect(vault.records.size).toBe(0);
  });

  it('bad arguments throw at once and change nothing', async () => {
    const mirror = await open();
    const invalid = expect.objectContaining({ name: 'SecureTokenError', code: 'invalid-argument' });
    expect(() => mirror.setItem('a', undefined as never)).toThrow(invalid);
    expect(() => mirror.setItem('k'.repeat(600), 'v')).toThrow(invalid);
    expect(() => mirror.removeItem('k'.repeat(600))).toThrow(invalid);
    expect(() => mirror.setItem('a', 'x'.repeat(1 << 20))).toThrow(
      expect.objectContaining({ code: 'too-large' }),
    );
    expect(mirror.getItem('a')).toBe('1');
    await mirror.flush();
    expect(vault.count('set_token')).toBe(0);
  });

  it('P4 nothing of the object shows a value', async () => {
    const mirror = await open();
    mirror.setItem('k', 'SECRET');
    expect(inspect(mirror, { depth: 9, showHidden: true }) + JSON.stringify(mirror)).not.toContain('SECRET');
  });
});

describe('writing behind', () => {
  it('of many changes of a key the first and the last are written, in that order', async () => {
    const mirror = await open();
    const answer = vault.hold('set_token', 'before');
    for (const value of ['2', '3', '4']) mirror.setItem('a', value);
    answer();
    await mirror.flush();
    expect(kept(vault, 'a')).toBe('4');
    expect(
      vault.calls.filter(({ command }) => command === 'set_token').map(({ args }) => args.token),
    ).toEqual(['=2', '=4']);
  });

  it('P3 a removal wins over a slow write', async () => {
    const mirror = await open();
    const answer = vault.hold('set_token', 'before');
    mirror.setItem('a', '2');
    mirror.removeItem('a');
    answer();
    await mirror.flush();
    expect(kept(vault, 'a')).toBeUndefined();
    expect(mirror.getItem('a')).toBeNull();
  });

  it('a value that is there already is not written again', async () => {
    const mirror = await open();
    mirror.setItem('a', '1');
    mirror.setItem('b', '');
    await mirror.flush();
    expect(vault.count('set_token')).toBe(0);
  });

  it('its own notices cause no reads', async () => {
    const mirror = await open();
    const reads = vault.count('get_token');
    mirror.setItem('a', '2');
    mirror.removeItem('b');
    mirror.setItem('c', '3');
    await mirror.flush();
    await settle();
    expect(vault.count('get_token')).toBe(reads);
  });

  it('flush waits for what is under way', async () => {
    const mirror = await open();
    const answer = vault.hold('set_token');
    mirror.setItem('a', '2');
    const flushed = vi.fn();
    const flushing = mirror.flush().then(flushed);
    await settle();
    expect(flushed).not.toHaveBeenCalled();
    answer();
    await flushing;
    expect(flushed).toHaveBeenCalled();
  });
});

describe('when a write fails', () => {
  it('memory keeps it, onError and flush say so, and flush tries again', async () => {
    const onError = vi.fn();
    const mirror = await open({ onError });
    vault.fail('set_token', rejection('denied'), 2);
    mirror.setItem('a', '2');
    await until(() => expect(onError).toHaveBeenCalledTimes(1));
    expect(onError.mock.calls[0]?.[0]).toMatchObject({ name: 'SecureTokenError', code: 'denied' });
    expect(mirror.getItem('a')).toBe('2');
    await expect(mirror.flush()).rejects.toMatchObject({ code: 'denied' });
    expect(kept(vault, 'a')).toBe('1');
    await mirror.flush();
    expect(kept(vault, 'a')).toBe('2');
  });

  it('flush tries the others all the same', async () => {
    const mirror = await open({ onError: () => {} });
    vault.fail('set_token', rejection('denied'));
    mirror.setItem('a', '2');
    mirror.setItem('c', '3');
    mirror.removeItem('b');
    await expect(mirror.flush()).rejects.toMatchObject({ code: 'denied' });
    expect([kept(vault, 'a'), kept(vault, 'b'), kept(vault, 'c')]).toEqual(['1', undefined, '3']);
  });

  it('a retryable one is retried by itself, later each time, until one succeeds', async () => {
    vi.useFakeTimers();
    vi.spyOn(Math, 'random').mockReturnValue(0);
    const onError = vi.fn();
    const mirror = await open({ onError });
    vault.fail('set_token', rejection('locked'), 3);
    mirror.setItem('a', '2');
    for (const [delay, tries] of [
      [499, 1],
      [1, 2],
      [999, 2],
      [1, 3],
      [2000, 4],
    ] as const) {
      await vi.advanceTimersByTimeAsync(delay);
      expect(vault.count('set_token')).toBe(tries);
    }
    expect(kept(vault, 'a')).toBe('2');
    expect(onError).toHaveBeenCalledTimes(3);
    await mirror.flush();
    expect(vi.getTimerCount()).toBe(0);

    vault.fail('set_token', rejection('locked'));
    mirror.setItem('a', '3');
    await vi.advanceTimersByTimeAsync(500);
    expect(kept(vault, 'a')).toBe('3');
  });

  it('one that is not retryable waits until the value is set again', async () => {
    vi.useFakeTimers();
    const onError = vi.fn();
    const mirror = await open({ onError });
    vault.fail('set_token', rejection('denied'));
    mirror.setItem('a', '2');
    await vi.advanceTimersByTimeAsync(120_000);
    expect(vault.count('set_token')).toBe(1);
    mirror.setItem('a', '2');
    await vi.advanceTimersByTimeAsync(0);
    expect(kept(vault, 'a')).toBe('2');
  });

  it('P3 a failed removal is retried, and nothing brings the value back', async () => {
    vi.useFakeTimers();
    const mirror = await open({ onError: () => {} });
    vault.fail('clear_token', rejection('timeout'));
    mirror.removeItem('a');
    await vi.advanceTimersByTimeAsync(0);
    expect(mirror.getItem('a')).toBeNull();
    vault.change({ token: '=other' }, account('a'));
    await vi.advanceTimersByTimeAsync(0);
    expect(mirror.getItem('a')).toBeNull();
    expect(kept(vault, 'a')).toBeUndefined();
  });

  it('a newer value takes the place of one that failed while it was under way', async () => {
    const onError = vi.fn();
    const mirror = await open({ onError });
    vault.fail('set_token', rejection('denied'));
    const answer = vault.hold('set_token');
    mirror.setItem('a', '2');
    await until(() => expect(vault.count('set_token')).toBe(1));
    mirror.setItem('a', '3');
    answer();
    await mirror.flush();
    expect(kept(vault, 'a')).toBe('3');
    expect(onError).not.toHaveBeenCalled();
  });

  it('without onError it is an uncaught error of the page', async () => {
    const uncaught = vi.spyOn(globalThis, 'queueMicrotask').mockImplementation(() => {});
    const mirror = await open();
    vault.fail('set_token', rejection('denied'));
    mirror.setItem('a', '2');
    await until(() => expect(uncaught).toHaveBeenCalled());
    expect(uncaught.mock.calls[0]?.[0]).toThrow(expect.objectContaining({ code: 'denied' }));
  });
});

describe('changes of other windows', () => {
  it('reach memory and listeners, those of this window only memory', async () => {
    const mirror = await open();
    const seen = vi.fn();
    const end = mirror.listen(seen);
    mirror.setItem('a', 'mine');
    await mirror.flush();
    vault.change({ token: '=2' }, account('a'));
    await until(() => expect(mirror.getItem('a')).toBe('2'));
    vault.change({ token: '=2' }, account('a'));
    vault.change({ token: '=3' }, account('new'));
    await until(() => expect(mirror.getItem('new')).toBe('3'));
    vault.change(undefined, account('a'));
    await until(() => expect(mirror.hasItem('a')).toBe(false));
    expect(seen.mock.calls).toEqual([
      [{ key: 'a', value: '2' }],
      [{ key: 'new', value: '3' }],
      [{ key: 'a', value: null }],
    ]);
    end();
    vault.change({ token: '=4' }, account('a'));
    await until(() => expect(mirror.getItem('a')).toBe('4'));
    expect(seen).toHaveBeenCalledTimes(3);
  });

  it('do not touch a local change that is not written yet', async () => {
    const mirror = await open();
    const answer = vault.hold('set_token', 'before');
    mirror.setItem('a', 'mine');
    vault.change({ token: '=theirs' }, account('a'));
    await settle();
    expect(mirror.getItem('a')).toBe('mine');
    answer();
    await mirror.flush();
    expect([mirror.getItem('a'), kept(vault, 'a')]).toEqual(['mine', 'mine']);
  });

  it('one that lands just after a local write is not missed', async () => {
    const mirror = await open();
    const answer = vault.hold('set_token', 'after');
    mirror.setItem('a', 'mine');
    await until(() => expect(kept(vault, 'a')).toBe('mine'));
    vault.change({ token: '=theirs' }, account('a'));
    answer();
    await until(() => expect(mirror.getItem('a')).toBe('theirs'));
    expect(kept(vault, 'a')).toBe('theirs');
  });

  it('a local change during the read wins', async () => {
    const mirror = await open();
    const answer = vault.hold('get_token', 'after');
    vault.change({ token: '=theirs' }, account('a'));
    await settle();
    mirror.setItem('a', 'mine');
    answer();
    await mirror.flush();
    expect([mirror.getItem('a'), kept(vault, 'a')]).toEqual(['mine', 'mine']);
  });

  it('P1 one that cannot be read keeps the old value, is reported, and is read later', async () => {
    const onError = vi.fn();
    const mirror = await open({ onError });
    vault.fail('get_token', rejection('locked'));
    vault.change({ token: '=2' }, account('a'));
    await until(() => expect(onError).toHaveBeenCalled());
    expect(mirror.getItem('a')).toBe('1');
    await mirror.flush();
    expect(mirror.getItem('a')).toBe('2');
  });

  it('P6 a notice of a revision that the store does not reach costs one read', async () => {
    const mirror = await open();
    const reads = vault.count('get_token');
    vault.notify({ account: account('a'), revision: 99, present: true });
    await mirror.flush();
    expect(vault.count('get_token')).toBe(reads + 1);
  });

  it('two mirrors of one page follow each other, and the storage beside them', async () => {
    const [one, two] = [await open(), await open()];
    one.setItem('a', '2');
    await until(() => expect(two.getItem('a')).toBe('2'));
    await page.createSecureStorage().removeItem('a');
    await until(() => expect([one.getItem('a'), two.getItem('a')]).toEqual([null, null]));
  });

  it('P3 clear also removes what another window wrote and is still being read', async () => {
    const mirror = await open();
    const answer = vault.hold('get_token', 'after');
    vault.change({ token: '=new' }, account('new'));
    await settle();
    mirror.clear();
    answer();
    await mirror.flush();
    expect([mirror.length, vault.records.size]).toEqual([0, 0]);
  });
});

it('dispose ends watch, listeners and retries, and lets the last write through', async () => {
  vi.useFakeTimers();
  const onError = vi.fn();
  const mirror = await open({ onError });
  const seen = vi.fn();
  mirror.listen(seen);
  vault.fail('set_token', rejection('locked'));
  mirror.setItem('b', '2');
  await vi.advanceTimersByTimeAsync(0);
  mirror.setItem('a', '2');
  const answer = vault.hold('get_token');
  vault.change({ token: '=3' }, account('new'));
  mirror.dispose();
  answer();
  await vi.advanceTimersByTimeAsync(120_000);
  expect(kept(vault, 'a')).toBe('2');
  expect(vault.count('set_token')).toBe(2);
  vault.change({ token: '=3' }, account('a'));
  await vi.advanceTimersByTimeAsync(0);
  expect(mirror.getItem('a')).toBe('2');
  expect(seen).not.toHaveBeenCalled();

  vault.fail('set_token', rejection('locked'));
  mirror.setItem('a', '4');
  await vi.advanceTimersByTimeAsync(120_000);
  expect(onError).toHaveBeenCalledTimes(2);
  expect(vault.count('set_token')).toBe(3);
});
