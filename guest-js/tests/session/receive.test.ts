// What a login and a refresh take from the app, and what they say about everything else.

import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { Tokens } from '../../session/session.js';
import { settle } from '../support/helpers.js';
import { keyStore, signedInPage } from '../support/project.js';

const NOW = Date.UTC(2026, 0, 1);
const SECRET = 'SECRET-value';
/** `Long.MAX_VALUE`, as JavaScript reads it. */
const LONG_MAX = 2 ** 63;

beforeEach(() => {
  vi.useFakeTimers({ now: NOW });
});

async function page(options = {}) {
  const { createSession, vault } = await signedInPage({ token: 't0', refreshToken: 'r0' });
  const onError = vi.fn<(error: Error) => void>();
  const session = createSession({ onError, ...options });
  await session.ready();
  if (!keyStore) await session.login({ token: 't0', refreshToken: 'r0' });
  return { session, vault, onError };
}

const OAUTH = { access_token: SECRET, refresh_token: SECRET, expires_in: 3600, token_type: 'Bearer' };

const cases: [name: string, tokens: unknown, says: string[]][] = [
  ['nothing', undefined, ['got undefined', '{ token, refreshToken, expiresIn }']],
  ['null', null, ['got null']],
  ['a text', SECRET, ['got string']],
  ['a number', 42, ['got number']],
  ['an empty object', {}, ['token is missing']],
  ['no text', { token: 42 }, ['token must be text']],
  ['an object', { token: { value: SECRET } }, ['token must be text']],
  ['an empty token', { token: '' }, ['token is missing']],
  ['a promise', Promise.resolve({ token: SECRET }), ['promise', 'await']],
  ['a Response', new Response('{}', { status: 401 }), ['Response', 'response.ok', 'response.json()']],
  [
    'an OAuth response',
    OAUTH,
    [
      'the response has access_token instead of token: pass { token: response.access_token, refreshToken: response.refresh_token, expiresIn: response.expires_in }',
    ],
  ],
  ['an accessToken', { accessToken: SECRET }, ['pass { token: response.accessToken }']],
  [
    'the response of Simple JWT',
    { access: SECRET, refresh: SECRET },
    ['pass { token: response.access, refreshToken: response.refresh }'],
  ],
  ['a response of axios', { data: OAUTH, status: 200 }, ['the response has data', 'out of it']],
  [
    'the body of a refusal',
    { error: 'invalid_grant', error_description: SECRET },
    ['token is missing, and the response has error', 'check response.ok'],
  ],
  ['a message', { message: SECRET }, ['has message', 'response.ok']],
  ['problem details', { title: SECRET, status: 401, detail: SECRET }, ['response.ok']],
  ['an error without data', { data: null, errors: [SECRET] }, ['has errors', 'response.ok']],
  ['a name that nobody knows', { [SECRET]: SECRET }, ['token is missing: pass {']],
  ['a line break at the end (Ruby)', { token: `${SECRET}\n` }, ['no HTTP header', 'Base64']],
  ['a line break within (Java)', { token: `${SECRET}\r\n${SECRET}` }, ['no HTTP header']],
  ['a blank at the end', { token: `${SECRET} ` }, ['no HTTP header']],
  ['a letter beyond ASCII', { token: `${SECRET}é` }, ['no HTTP header']],
  ['a control character', { token: `${SECRET}\x7f` }, ['no HTTP header']],
  ['NUL', { token: `${SECRET}\0` }, ['no HTTP header']],
];

describe('P4 tokens that no request could carry', () => {
  it.each(cases)('login rejects with what to do, and nothing changes: %s', async (_name, tokens, says) => {
    const { session, vault } = await page();
    const before = session.getSnapshot();
    const error = await session.login(tokens as Tokens).catch((error) => error);
    expect(error).toMatchObject({ name: 'SecureTokenError', code: 'invalid-argument' });
    for (const text of says) expect(error.message).toContain(text);
    expect(error.message).not.toContain('SECRET');
    expect(session.getToken()).toBe('t0');
    expect(session.getSnapshot()).toBe(before);
    if (keyStore) expect(vault.records.get('default')?.token).toBe('t0');
  });

  it.each(cases)(
    'a refresh that resolves with them fails with what to do: %s',
    async (_name, tokens, says) => {
      // An async function resolves a promise before it hands it on.
      if (tokens instanceof Promise) return;
      const { session } = await page({ refresh: async () => tokens });
      const error = await session.refresh('t0').catch((error) => error);
      expect(error).toMatchObject({ name: 'SecureTokenError', code: 'invalid-argument' });
      for (const text of says) expect(error.message).toContain(text);
      expect(session.getToken()).toBe('t0');
    },
  );
});

const oddities: [name: string, tokens: object, says: string[]][] = [
  ['seconds', { expiresAt: NOW / 1000 + 3600 }, ['expiresAt must be in milliseconds', 'seconds * 1000']],
  ['a lifetime as a moment', { expiresAt: 3600 }, ['expiresAt must be in milliseconds', 'use expiresIn']],
  [
    'ISO text',
    { expiresAt: new Date(NOW).toISOString() },
    ['expiresAt must be a number', 'Date.parse(text)'],
  ],
  ['a Date', { expiresAt: new Date(NOW) }, ['expiresAt must be a number']],
  ['expiresIn as text', { expiresIn: '3600' }, ['expiresIn must be a number', 'Number(text)']],
  ['expiresIn as a bigint', { expiresIn: 3600n }, ['expiresIn must be a number']],
  [
    'half of the names of OAuth',
    { refresh_token: SECRET, expires_in: 3600 },
    [
      'the response has refresh_token, expires_in: pass { refreshToken: response.refresh_token, expiresIn: response.expires_in }',
    ],
  ],
  ['seconds under another name', { expires_at: 1_800_000_000 }, ['expiresAt: response.expires_at * 1000']],
];

describe('a token that can be used, and something about it that cannot', () => {
  it.each(oddities)('login rejects with what to do: %s', async (_name, tokens, says) => {
    const { session } = await page();
    const error = await session.login({ token: 't1', ...tokens } as Tokens).catch((error) => error);
    expect(error).toMatchObject({ name: 'SecureTokenError', code: 'invalid-argument' });
    for (const text of says) expect(error.message).toContain(text);
    expect(error.message).not.toContain('SECRET');
    expect(session.getToken()).toBe('t0');
  });

  it.each(oddities)(
    'a refresh keeps the token, since the old one may be used up, and complains: %s',
    async (_name, tokens, says) => {
      const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
      const { session, vault, onError } = await page({ refresh: async () => ({ token: 't1', ...tokens }) });
      warn.mockClear();
      expect(await session.refresh('t0')).toBe('t1');
      await settle();
      expect(session.getSnapshot().expiresAt).toBeUndefined();
      if (keyStore) expect(vault.records.get('default')).toEqual({ token: 't1', refreshToken: 'r0' });
      expect(onError).toHaveBeenCalledOnce();
      for (const text of says) {
        expect(onError.mock.calls[0]?.[0].message).toContain(text);
        expect(warn.mock.calls[0]?.[0]).toContain(text);
      }
      await session.refresh();
      expect(onError).toHaveBeenCalledTimes(2);
      expect(warn).toHaveBeenCalledTimes(1);
    },
  );
});

describe('what is fine', () => {
  it.each<[string, object, number | undefined]>([
    ['Infinity', { expiresIn: Number.POSITIVE_INFINITY }, undefined],
    ['the largest long', { expiresIn: LONG_MAX }, undefined],
    ['the largest long in milliseconds', { expiresIn: LONG_MAX / 1000 }, undefined],
    ['a moment at infinity', { expiresAt: Number.POSITIVE_INFINITY }, undefined],
    ['the largest long as a moment', { expiresAt: LONG_MAX }, undefined],
    ['the largest int', { expiresIn: 2 ** 31 - 1 }, NOW + (2 ** 31 - 1) * 1000],
    ['NaN', { expiresIn: Number.NaN }, undefined],
    ['null', { expiresIn: null, expiresAt: null, refreshToken: null }, undefined],
    ['a moment as text beside a lifetime', { expiresIn: 60, expiresAt: '2026-01-01' }, NOW + 60_000],
    ['both names', { refreshToken: 'r1', refresh_token: 'r1', expiresIn: 60, expires_in: 60 }, NOW + 60_000],
    ['a null under another name', { refresh_token: null }, undefined],
    ['other fields', { user: { id: 1 }, message: 'welcome', access_token: 't1' }, undefined],
  ])('%s', async (_name, tokens, expiresAt) => {
    const { session, vault } = await page();
    const snapshot = await session.login({ token: 't1', ...tokens } as Tokens);
    expect(snapshot.expiresAt).toBe(expiresAt);
    expect(session.getToken()).toBe('t1');
    if (keyStore) expect(vault.records.get('default')?.expiresAt).toBe(expiresAt);
  });

  it.each(['!', 'a b', 'a\tb', 'abc.DEF-_~+/=', '~'])(
    'a token that a header can carry: %j',
    async (token) => {
      const { session } = await page();
      await session.login({ token });
      new Headers().set('authorization', `Bearer ${session.getToken()}`);
      expect(session.getToken()).toBe(token);
    },
  );
});
