// Errors: the shared list of codes, and how rejections become SecureTokenError.

import { beforeEach, describe, expect, it, vi } from 'vitest';
import fixture from '../../../tests/fixtures/error-codes.json' with { type: 'json' };
import { getToken } from '../../index.js';
import { errorCodes, SecureTokenError, SessionEnded } from '../../ipc/errors.js';
import { FakeVault, rejection } from '../support/fake-vault.js';
import { freshPage } from '../support/helpers.js';

const SECRET = 'eyJhbGciOi.secret';

async function rejected(cause: unknown): Promise<SecureTokenError> {
  new FakeVault().fail('get_token', cause);
  const error = await getToken().catch((error) => error);
  expect(error).toBeInstanceOf(SecureTokenError);
  return error;
}

describe('the list of codes', () => {
  it('is the shared fixture, in its order', () => {
    expect(errorCodes).toEqual(fixture.map(({ code }) => code));
  });

  it.each(fixture)('$code: retryable is $retryable', ({ code, retryable }) => {
    expect(new SecureTokenError(code as SecureTokenError['code'], '')).toMatchObject({
      name: 'SecureTokenError',
      code,
      retryable,
    });
  });
});

describe('a rejection of the plugin', () => {
  it.each(errorCodes)('%s keeps code and message', async (code) => {
    expect(await rejected(rejection(code))).toMatchObject({ code, message: `the store said ${code}` });
  });

  it('with a code that is not on the list is internal, and its message is not repeated', async () => {
    const error = await rejected({ code: 'brand-new', message: SECRET });
    expect(error.code).toBe('internal');
    expect(error.message).not.toContain(SECRET);
  });
});

describe('a rejection of Tauri itself, a plain string', () => {
  const ADD = 'get_token: add "secure-token:default" to the permissions of the capability of this window';
  const REGISTER = 'get_token: the app lacks the plugin: run "npm run tauri add secure-token"';

  beforeEach(() => {
    vi.spyOn(console, 'warn').mockImplementation(() => {});
  });

  it.each([
    // Release builds.
    ['Command plugin:secure-token|get_token not allowed by ACL', 'forbidden', ADD],
    // Debug builds.
    ['secure-token.get_token not allowed. Permissions associated with this command: …', 'forbidden', ADD],
    ['secure-token.get_token not allowed on window "guest", webview "guest", URL: local', 'forbidden', ADD],
    [
      'secure-token.get_token explicitly denied on origin local\n\nreferenced by: …',
      'forbidden',
      'get_token: a capability denies it to this window',
    ],
    [
      'secure-token.native_fetch not allowed. Permissions associated with this command: …',
      'forbidden',
      'get_token: add "secure-token:native" to the permissions',
    ],
  ])('%s is quoted behind the remedy', async (text, code, start) => {
    const error = await rejected(text);
    expect(error.code).toBe(code);
    expect(error.message.slice(0, start.length)).toBe(start);
    expect(error.message.endsWith(`. Tauri says: ${text}`)).toBe(true);
  });

  it.each([
    ['secure-token.get_token not allowed. Plugin not found', 'misconfigured', REGISTER],
    ['plugin secure-token not found', 'misconfigured', REGISTER],
    [
      'secure-token.get_token not allowed. Command not found',
      'misconfigured',
      'get_token: the app does not know it',
    ],
    ['Command get_token not found', 'misconfigured', REGISTER],
    [
      'Command native_fetch not found',
      'misconfigured',
      'get_token: the app was built without native requests',
    ],
    [
      `invalid args \`account\` for command \`get_token\`: invalid type: "${SECRET}"`,
      'invalid-argument',
      'get_token: an argument is not valid',
    ],
    [`something else with ${SECRET}`, 'internal', 'get_token: Tauri refused it'],
    [`${SECRET} not allowed`, 'internal', 'get_token: Tauri refused it'],
  ])('P4 %s is explained and not repeated', async (text, code, start) => {
    const error = await rejected(text);
    expect(error.code).toBe(code);
    expect(error.message.slice(0, start.length)).toBe(start);
    expect(error.message).not.toContain(SECRET);
  });

  it.each(['?', '#'])('P4 the address of a remote page is quoted only up to its %s', async (mark) => {
    const error = await rejected(
      `secure-token.get_token not allowed on window "main", webview "main", URL: https://app.example/callback${mark}code=${SECRET}\n\nreferenced by: capability: default`,
    );
    expect(error.message).toContain(
      'URL: https://app.example/callback\n\nreferenced by: capability: default',
    );
    expect(error.message).not.toContain(SECRET);
  });

  it.each([[undefined], [null], [42], [new Error(SECRET)], [{ message: SECRET }], [Object.create(null)]])(
    'P4 anything else is internal and not repeated: %o',
    async (cause) => {
      const error = await rejected(cause);
      expect(error.code).toBe('internal');
      expect(error.message).not.toContain(SECRET);
    },
  );
});

describe('a fault of the build', () => {
  it.each([
    ['forbidden', 'Command plugin:secure-token|get_token not allowed by ACL', '"secure-token:default"'],
    ['forbidden', rejection('forbidden'), 'the store said forbidden'],
    ['misconfigured', 'plugin secure-token not found', 'npm run tauri add secure-token'],
    ['misconfigured', rejection('misconfigured'), 'the store said misconfigured'],
  ])('%s is told once in the console', async (_code, cause, remedy) => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const page = await freshPage();
    new FakeVault().fail('get_token', cause, 3);
    for (let call = 0; call < 3; call++) await expect(page.getToken()).rejects.toThrow();
    expect(warn.mock.calls).toEqual([[expect.stringContaining(remedy)]]);
  });

  it('is not what a store says that is locked, missing or lost', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    for (const code of errorCodes.filter((code) => code !== 'forbidden' && code !== 'misconfigured'))
      await rejected(rejection(code));
    expect(warn).not.toHaveBeenCalled();
  });
});

it('outside Tauri the message says how to get in', async () => {
  Reflect.deleteProperty(globalThis, '__TAURI_INTERNALS__');
  await expect(getToken()).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining('npm run tauri dev'),
  });
});

it('SessionEnded carries the mark of an OAuth error response', () => {
  expect(new SessionEnded('over')).toMatchObject({
    name: 'SessionEnded',
    error: 'invalid_grant',
    message: 'over',
  });
});
