// The auth.ts of the README, as it stands there.

import { beforeEach, describe, expect, it, vi } from 'vitest';
import { FakeVault } from '../support/fake-vault.js';

type Api = (path: string, body: unknown, init: RequestInit) => Response | Promise<Response>;

let api: Api;

beforeEach(() => {
  vi.resetModules();
  vi.stubGlobal('fetch', async (input: string, init: RequestInit) =>
    api(input.replace('https://api.example.com', ''), init.body && JSON.parse(String(init.body)), init),
  );
});

const TOKENS = { access_token: 't1', refresh_token: 'r1', expires_in: 3600, token_type: 'Bearer' };

async function signedIn() {
  const vault = new FakeVault({ default: { token: 't0', refreshToken: 'r0' } });
  const auth = await import('docs:auth');
  await auth.session.ready();
  return { ...auth, vault };
}

it('logs in, refreshes, sends the token, revokes', async () => {
  const paths: [string, unknown][] = [];
  const vault = new FakeVault();
  const { session, login, authFetch } = await import('docs:auth');
  api = (path, body) => {
    paths.push([path, body]);
    return Response.json(TOKENS);
  };
  await login('ada', 'password');
  expect(vault.records.get('default')).toMatchObject({ token: 't1', refreshToken: 'r1' });
  expect(session.getSnapshot()).toMatchObject({ status: 'signedIn', persisted: true });
  await session.refresh();
  await session.logout();
  await vi.waitFor(() => expect(paths).toHaveLength(3));
  expect(paths).toEqual([
    ['/auth/login', { user: 'ada', password: 'password' }],
    ['/auth/refresh', { refreshToken: 'r1' }],
    ['/auth/logout', { refreshToken: 'r1' }],
  ]);
  expect(authFetch).toBeTypeOf('function');
});

it('a login that is refused rejects and stores nothing', async () => {
  const vault = new FakeVault();
  const { login } = await import('docs:auth');
  api = () => Response.json({ error: 'invalid_grant' }, { status: 401 });
  await expect(login('ada', 'wrong')).rejects.toThrow('/auth/login: 401');
  expect(vault.count('set_token')).toBe(0);
});

describe('a refresh', () => {
  it.each<[string, () => Response]>([
    ['401', () => new Response(null, { status: 401 })],
    ['401 with text', () => new Response('no', { status: 401 })],
    ['403', () => Response.json({ message: 'no' }, { status: 403 })],
    ['the refusal of OAuth', () => Response.json({ error: 'invalid_grant' }, { status: 400 })],
  ])('that is refused ends the session: %s', async (_name, refusal) => {
    const { session, vault } = await signedIn();
    api = refusal;
    await session.refresh();
    expect(session.getSnapshot().status).toBe('signedOut');
    expect(vault.records.size).toBe(0);
  });

  it.each<[string, Api]>([
    ['a server that is down', () => new Response(null, { status: 503 })],
    ['the page of a firewall', () => new Response('<h1>no</h1>', { status: 403 })],
    ['a proxy without a body', () => new Response('bad gateway', { status: 502 })],
    ['a network that fails', () => Promise.reject(new TypeError('Failed to fetch'))],
    ['another error of OAuth', () => Response.json({ error: 'temporarily_unavailable' }, { status: 400 })],
  ])('that fails leaves it as it is, and there is nothing to hint at: %s', async (_name, failure) => {
    const warn = vi.spyOn(console, 'warn');
    // The longest rest: a random one may be over before it is looked at.
    vi.spyOn(Math, 'random').mockReturnValue(0);
    const { session } = await signedIn();
    api = failure;
    await expect(session.refresh()).rejects.toThrow();
    expect(session.getSnapshot().status).toBe('signedIn');
    expect(session.retryAt()).toBeGreaterThan(Date.now());
    expect(warn).not.toHaveBeenCalled();
  });
});

it('a session that hot reload has replaced does not refresh any more', async () => {
  vi.useFakeTimers();
  const { keepFresh } = await import('../../session/keep-fresh.js');
  let refreshes = 0;
  api = () => {
    refreshes++;
    return Response.json({ ...TOKENS, expires_in: 900 });
  };
  const vault = new FakeVault({
    default: { token: 't0', refreshToken: 'r0', expiresAt: Date.now() + 900_000 },
  });
  vi.stubGlobal('document', Object.assign(new EventTarget(), { hasFocus: () => true }));
  const before = await import('docs:auth');
  const end = keepFresh(before.session);
  await before.session.ready();
  // What `import.meta.hot.dispose` runs, then the module once more.
  end();
  before.session.dispose();
  vi.resetModules();
  const after = await import('docs:auth');
  keepFresh(after.session);
  await after.session.ready();
  await vi.advanceTimersByTimeAsync(895_000);
  expect(refreshes).toBe(1);
  expect(vault.records.get('default')?.token).toBe('t1');
  expect(after.session.getToken()).toBe('t1');
  expect(await before.session.refresh()).toBeUndefined();
  expect(refreshes).toBe(1);
});
