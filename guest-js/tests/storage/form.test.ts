// The stored form of a storage: frozen, and one text for one key or value.

import { describe, expect, it } from 'vitest';
import fixture from '../../../tests/fixtures/storage-form.json' with { type: 'json' };
import { createSecureStorage } from '../../storage/storage.js';
import { accountOf, keyOf, prefixOf, tokenOf, valueIn } from '../../storage/storage-form.js';
import { FakeVault } from '../support/fake-vault.js';

const frozen = [
  ...fixture,
  // Not in the file: readers of JSON refuse a lone surrogate.
  {
    namespace: 'default',
    key: '\ud83d-\udd11',
    value: '\udd11\ud83d',
    account: 'storage/default/%d83d-%dd11',
    token: '=%dd11%d83d',
  },
];

describe('P7 the stored form is frozen', () => {
  it.each(frozen)('$account', async ({ namespace, key, value, account, token }) => {
    const vault = new FakeVault();
    const storage = createSecureStorage({ namespace });
    await storage.setItem(key, value);
    expect([...vault.records]).toEqual([[account, { token }]]);
  });

  it.each(frozen)('$account is read', async ({ namespace, key, value, account, token }) => {
    new FakeVault({ [account]: { token } });
    const storage = createSecureStorage({ namespace });
    expect(await storage.getItem(key)).toBe(value);
    expect(await storage.getKeys()).toEqual([key]);
  });
});

/** Every text of up to three of these, so that each can stand next to each. */
const UNITS = ['', '%', '0025', 'a', '\0', '\n', '\u0085', '\ud83d', '\udd11', '=', '/', 'é'];
const TEXTS = UNITS.flatMap((a) => UNITS.flatMap((b) => UNITS.map((c) => a + b + c)));

it('every text is a key and a value, and no two are stored alike', () => {
  const prefix = prefixOf('default');
  const texts = [...new Set(TEXTS)];
  expect(new Set(texts.map((text) => accountOf(prefix, text))).size).toBe(texts.length);
  expect(new Set(texts.map(tokenOf)).size).toBe(texts.length);
  for (const text of texts) {
    expect(keyOf(prefix, accountOf(prefix, text))).toBe(text);
    expect(valueIn(tokenOf(text))).toBe(text);
  }
});

it('an account that no key has is not a key', () => {
  for (const rest of ['%', '%00', '%0041', '%000A', '%d83d%dd11'])
    expect(keyOf('storage/default/', `storage/default/${rest}`)).toBeUndefined();
  expect(keyOf('storage/default/', 'default')).toBeUndefined();
  expect(keyOf('storage/a/', 'storage/ab/k')).toBeUndefined();
});

it('P1 a token that no value has is corrupt, and its text is not shown', () => {
  for (const token of ['SECRET', '=SECRET%', '=SECRET%0041', '=SECRET%d83d%dd11'])
    expect(() => valueIn(token)).toThrow(
      expect.objectContaining({ code: 'corrupt', message: expect.not.stringContaining('SECRET') }),
    );
});

it.each(['', '/', 'a/b', 'a b', 'é', 'a\n', '*', 'x'.repeat(65)])(
  'the namespace %j is refused',
  (namespace) => {
    expect(() => createSecureStorage({ namespace })).toThrow(
      expect.objectContaining({ name: 'SecureTokenError', code: 'invalid-argument' }),
    );
  },
);
