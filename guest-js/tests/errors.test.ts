// Errors: the shared list of codes, and how rejections become SecureTokenError.

import { describe, expect, it } from 'vitest';
import fixture from '../../tests/fixtures/error-codes.json' with { type: 'json' };
import { errorCodes, SecureTokenError, SessionEnded } from '../errors.js';
import { getToken } from '../index.js';
import { FakeVault, rejection } from './fake-vault.js';

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
  it.each([
    // Release builds.
    ['Command plugin:secure-token|get_token not allowed by ACL', 'forbidden'],
    // Debug builds.
    ['secure-token.get_token not allowed. Permissions associated with this command: …', 'forbidden'],
    ['secure-token.get_token not allowed on window "guest", webview "guest", URL: local', 'forbidden'],
    ['secure-token.get_token explicitly denied on origin local\n\nreferenced by: …', 'forbidden'],
    ['secure-token.get_token not allowed. Plugin not found', 'misconfigured'],
    ['secure-token.get_token not allowed. Command not found', 'misconfigured'],
    ['plugin secure-token not found', 'misconfigured'],
    ['Command get_token not found', 'misconfigured'],
    [`invalid args \`account\` for command \`get_token\`: invalid type: "${SECRET}"`, 'invalid-argument'],
    [`something else with ${SECRET}`, 'internal'],
  ])('%s', async (text, code) => {
    const error = await rejected(text);
    expect(error.code).toBe(code);
    expect(error.message).toBe(`get_token: ${code}`);
  });

  it.each([[undefined], [null], [42], [new Error(SECRET)], [{ message: SECRET }], [Object.create(null)]])(
    'anything else is internal: %o',
    async (cause) => {
      expect(await rejected(cause)).toMatchObject({ code: 'internal', message: 'get_token: internal' });
    },
  );
});

it('SessionEnded carries the mark of an OAuth error response', () => {
  expect(new SessionEnded('over')).toMatchObject({
    name: 'SessionEnded',
    error: 'invalid_grant',
    message: 'over',
  });
});
