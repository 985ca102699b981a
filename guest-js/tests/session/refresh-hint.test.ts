// The hint for developers whose `refresh` hides what the server said.

import { expect, it, vi } from 'vitest';
import { SecureTokenError, SessionEnded } from '../../ipc/errors.js';
import { until } from '../support/helpers.js';
import { signedInPage } from '../support/project.js';

async function failing(...causes: unknown[]) {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
  const { createSession } = await signedInPage({ token: 't0', refreshToken: 'r0' });
  let turn = 0;
  const session = createSession({ refresh: () => Promise.reject(causes[turn++]) });
  await session.login({ token: 't0', refreshToken: 'r0' });
  warn.mockClear();
  for (const cause of causes) await expect(session.refresh()).rejects.toBe(cause);
  return { session, warn };
}

class ApiError extends Error {}

it.each([
  ['the usual wrapper', new Error('/refresh answered 401')],
  ['a class of the app', new ApiError('401')],
  ['a text', 'HTTP 401'],
  ['a code', { code: 401 }],
  ['a status as text', { status: '401' }],
  ['nothing', undefined],
])('warns once per page when a rejection has no status: %s', async (_name, cause) => {
  const { session, warn } = await failing(cause, cause);
  await until(() => expect(warn).toHaveBeenCalled());
  expect(warn.mock.calls).toEqual([[expect.stringMatching(/no status.*SessionEnded.*docs\/usage\.md/)]]);
  expect(session.getSnapshot().status).toBe('signedIn');
});

it.each([
  ['a network that fails', new TypeError('Failed to fetch')],
  ['an abort', new DOMException('aborted', 'AbortError')],
  ['a deadline', new DOMException('too late', 'TimeoutError')],
  [
    'an error of axios without a response',
    Object.assign(new Error('Network Error'), { code: 'ERR_NETWORK' }),
  ],
  ['a status', Object.assign(new Error('down'), { status: 503 })],
  ['a response', Object.assign(new Error('down'), { response: { status: 503 } })],
  ['a Response', new Response(null, { status: 503 })],
  ['a Response as the cause', new Error('down', { cause: new Response(null, { status: 503 }) })],
  ['what ofetch and NestJS say', { statusCode: 503 }],
  ['an OAuth error', { error: 'temporarily_unavailable' }],
  ['Retry-After', { retryAfter: 5 }],
  ['our own error', new SecureTokenError('timeout', 'late')],
])('says nothing about %s', async (_name, cause) => {
  // The second one is told: once it is there, the first one would be, too.
  const { warn } = await failing(cause);
  expect(warn).not.toHaveBeenCalled();
  const { warn: later } = await failing(cause, new Error('401'));
  await until(() => expect(later).toHaveBeenCalled());
  expect(later).toHaveBeenCalledTimes(1);
});

it.each([
  ['nothing', undefined, 'got undefined instead of'],
  ['the response of the API', { access_token: 'SECRET' }, 'token: response.access_token'],
])(
  'a refresh that resolves with %s is told once, since requests go on with the old token',
  async (_name, tokens, says) => {
    vi.useFakeTimers();
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const { createSession } = await signedInPage({ token: 't0', expiresAt: Date.now() - 1 });
    const session = createSession({ refresh: async () => tokens as never });
    await session.login({ token: 't0', expiresIn: 60 });
    warn.mockClear();
    await vi.advanceTimersByTimeAsync(61_000);
    for (let request = 0; request < 3; request++) expect(await session.freshToken()).toBe('t0');
    vi.useRealTimers();
    await until(() => expect(warn).toHaveBeenCalled());
    expect(warn.mock.calls).toEqual([[expect.stringContaining(says)]]);
  },
);

it('an end of the session is none', async () => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
  const { createSession } = await signedInPage({ token: 't0', refreshToken: 'r0' });
  const session = createSession({ refresh: () => Promise.reject(new SessionEnded('over')) });
  await session.login({ token: 't0', refreshToken: 'r0' });
  warn.mockClear();
  await session.refresh();
  expect(session.getSnapshot().status).toBe('signedOut');
  expect(warn).not.toHaveBeenCalled();
});
