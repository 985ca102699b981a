// The six commands: what they send, what they refuse to send, what they answer.

import { describe, expect, it, vi } from 'vitest';
import accounts from '../../../tests/fixtures/account-rules.json' with { type: 'json' };
import { clearToken, getToken, listAccounts, setToken, storeInfo } from '../../index.js';
import type { TokenNotice } from '../../ipc/commands.js';
import { SecureTokenError } from '../../ipc/errors.js';
import { FakeVault, rejection } from '../support/fake-vault.js';
import { freshPage } from '../support/helpers.js';

const MIB = 1 << 20;

describe('what is sent', () => {
  it('setToken, getToken and clearToken of the default account', async () => {
    const vault = new FakeVault();
    expect(await setToken({ token: 't' })).toEqual({ revision: 1 });
    expect(vault.last('set_token')).toEqual({ token: 't' });
    expect(await getToken()).toEqual({ token: 't', revision: 1 });
    expect(vault.last('get_token')).toEqual({});
    expect(await clearToken()).toEqual({ revision: 2 });
    expect(vault.last('clear_token')).toEqual({});
    expect(await getToken()).toBeNull();
  });

  it('every field by its name', async () => {
    const vault = new FakeVault();
    const record = { token: 't', refreshToken: 'r', expiresAt: 0 };
    await setToken({ ...record, account: 'a', ifRevision: 0 });
    expect(vault.last('set_token')).toEqual({ ...record, account: 'a', ifRevision: 0 });
    expect(await getToken({ account: 'a' })).toEqual({ ...record, revision: 1 });
    await clearToken({ account: 'a', ifRevision: 1 });
    expect(vault.last('clear_token')).toEqual({ account: 'a', ifRevision: 1 });
  });

  it('an undefined option is left out', async () => {
    const vault = new FakeVault();
    await setToken({ token: 't', refreshToken: undefined, account: undefined } as never);
    expect(vault.last('set_token')).toEqual({ token: 't' });
  });

  it('listAccounts and storeInfo', async () => {
    new FakeVault({ one: { token: 't' }, two: { token: 't' } });
    expect(await listAccounts()).toEqual(['one', 'two']);
    expect(await storeInfo()).toMatchObject({ store: 'memory', state: 'available', detail: '' });
  });
});

describe('P1 null means absent', () => {
  it.each(['locked', 'unavailable', 'denied', 'lost', 'corrupt', 'timeout', 'internal'] as const)(
    '%s is an error, never null',
    async (code) => {
      new FakeVault().fail('get_token', rejection(code));
      await expect(getToken()).rejects.toMatchObject({ code });
    },
  );

  it('outside Tauri is an error, never null', async () => {
    await expect(getToken()).rejects.toMatchObject({ name: 'SecureTokenError', code: 'unavailable' });
    await expect((await freshPage()).watchTokens(() => {})).rejects.toMatchObject({ code: 'unavailable' });
  });
});

describe('account names', () => {
  it.each(accounts)('$name: valid is $valid', async ({ account, repeat, times, valid }) => {
    const vault = new FakeVault();
    const name = account ?? repeat?.repeat(times ?? 0) ?? '';
    if (valid) expect(await getToken({ account: name })).toBeNull();
    else await expect(getToken({ account: name })).rejects.toMatchObject({ code: 'invalid-argument' });
    expect(vault.count('get_token')).toBe(valid ? 1 : 0);
  });

  it.each(['\ud800', 'a\udfff', '\udc00\ud800'])('a lone surrogate is refused: %j', async (account) => {
    new FakeVault();
    await expect(getToken({ account })).rejects.toMatchObject({ code: 'invalid-argument' });
  });
});

describe('bad arguments never leave the page, and the message names the field and not the value', () => {
  const VALUE = 'VALUE';
  it.each([
    ['token', { token: '' }, 'invalid-argument'],
    ['token', {}, 'invalid-argument'],
    ['token', { token: null }, 'invalid-argument'],
    ['token', { token: 42 }, 'invalid-argument'],
    ['token', { token: { VALUE } }, 'invalid-argument'],
    ['token', { token: [VALUE] }, 'invalid-argument'],
    ['token', { token: `${VALUE}\0` }, 'invalid-argument'],
    ['token', { token: `${VALUE}\ud800` }, 'invalid-argument'],
    ['token', { token: `\udc00${VALUE}` }, 'invalid-argument'],
    ['token', { token: VALUE + 'x'.repeat(MIB) }, 'too-large'],
    ['token', { token: 'x'.repeat(MIB + 1) }, 'too-large'],
    ['token', { token: `${'é'.repeat(MIB / 2)}x` }, 'too-large'],
    ['refreshToken', { token: 't', refreshToken: '' }, 'invalid-argument'],
    ['refreshToken', { token: 't', refreshToken: null }, 'invalid-argument'],
    ['refreshToken', { token: 't', refreshToken: `${VALUE}\0` }, 'invalid-argument'],
    ['refreshToken', { token: 't', refreshToken: `${'🔑'.repeat(MIB / 4)}x` }, 'too-large'],
    ['expiresAt', { token: 't', expiresAt: -1 }, 'invalid-argument'],
    ['expiresAt', { token: 't', expiresAt: 1.5 }, 'invalid-argument'],
    ['expiresAt', { token: 't', expiresAt: Number.NaN }, 'invalid-argument'],
    ['expiresAt', { token: 't', expiresAt: Number.POSITIVE_INFINITY }, 'invalid-argument'],
    ['expiresAt', { token: 't', expiresAt: 2 ** 53 }, 'invalid-argument'],
    ['expiresAt', { token: 't', expiresAt: '1700000000000' }, 'invalid-argument'],
    ['expiresAt', { token: 't', expiresAt: null }, 'invalid-argument'],
    ['expiresAt', { token: 't', expiresAt: new Date() }, 'invalid-argument'],
    ['ifRevision', { token: 't', ifRevision: -1 }, 'invalid-argument'],
    ['ifRevision', { token: 't', ifRevision: 0.5 }, 'invalid-argument'],
    ['account', { token: 't', account: '' }, 'invalid-argument'],
    ['account', { token: 't', account: `${VALUE}\n` }, 'invalid-argument'],
    ['account', { token: 't', account: VALUE + 'x'.repeat(512) }, 'invalid-argument'],
    ['account', { token: 't', account: 7 }, 'invalid-argument'],
    ['unknown', { token: 't', refresh_token: VALUE }, 'invalid-argument'],
    ['unknown', { token: 't', toString: VALUE }, 'invalid-argument'],
    ['unknown', { [VALUE]: 't' }, 'invalid-argument'],
    ['token', undefined, 'invalid-argument'],
    ['token', null, 'invalid-argument'],
    ['unknown', VALUE, 'invalid-argument'],
  ])('%s in case %#: %s', async (field, args, code) => {
    const vault = new FakeVault();
    const error = await setToken(args as never).catch((error) => error);
    expect(error).toBeInstanceOf(SecureTokenError);
    expect(error).toMatchObject({ code });
    expect(error.message.split(/\W/)).toContain(field);
    expect(error.message).not.toContain(VALUE);
    expect(vault.calls).toEqual([]);
  });

  it('a field of another command is unknown', async () => {
    const vault = new FakeVault();
    await expect(getToken({ ifRevision: 1 } as never)).rejects.toMatchObject({ code: 'invalid-argument' });
    await expect(clearToken({ token: 't' } as never)).rejects.toMatchObject({ code: 'invalid-argument' });
    expect(vault.calls).toEqual([]);
  });

  it('the limits themselves are allowed', async () => {
    new FakeVault();
    await setToken({
      token: 'x'.repeat(MIB),
      refreshToken: 'é'.repeat(MIB / 2),
      expiresAt: Number.MAX_SAFE_INTEGER,
    });
    await setToken({ token: '\u0001\n🔑', expiresAt: 0 });
  });
});

describe('watchTokens', () => {
  const notice = (revision: number): TokenNotice => ({ account: 'default', revision, present: true });

  it('shares one native channel and ends each listener on its own', async () => {
    const vault = new FakeVault();
    const { watchTokens } = await freshPage();
    const [first, second] = [vi.fn(), vi.fn()];
    const [endFirst, endSecond] = await Promise.all([watchTokens(first), watchTokens(second)]);
    expect(vault.count('watch_tokens')).toBe(1);
    vault.notify(notice(1));
    endFirst();
    endFirst();
    vault.notify(notice(2));
    endSecond();
    vault.notify(notice(3));
    expect(first.mock.calls).toEqual([[notice(1)]]);
    expect(second.mock.calls).toEqual([[notice(1)], [notice(2)]]);
    await watchTokens(first);
    expect(vault.count('watch_tokens')).toBe(1);
  });

  it('takes one function twice as two listeners', async () => {
    const vault = new FakeVault();
    const { watchTokens } = await freshPage();
    const listener = vi.fn();
    const end = await watchTokens(listener);
    await watchTokens(listener);
    end();
    vault.notify(notice(1));
    expect(listener).toHaveBeenCalledTimes(1);
  });

  it('goes on when a listener throws', async () => {
    const vault = new FakeVault();
    const { watchTokens } = await freshPage();
    const reported = vi.spyOn(globalThis, 'queueMicrotask').mockImplementation(() => {});
    const listener = vi.fn();
    await watchTokens(() => {
      throw new Error('a bug of the app');
    });
    await watchTokens(listener);
    vault.notify(notice(1));
    expect(listener).toHaveBeenCalledTimes(1);
    expect(reported.mock.calls[0]?.[0]).toThrow('a bug of the app');
  });

  it('can be tried again after a refusal', async () => {
    const vault = new FakeVault();
    const { watchTokens } = await freshPage();
    const listener = vi.fn();
    vault.fail('watch_tokens', 'secure-token.watch_tokens not allowed');
    await expect(watchTokens(listener)).rejects.toMatchObject({ code: 'forbidden' });
    await watchTokens(listener);
    vault.notify(notice(1));
    expect(listener).toHaveBeenCalledTimes(1);
  });
});
