// P9: a request belongs to the login under which it was made. With a session whose moments the test decides.

import { ofetch } from 'ofetch';
import { describe, expect, it, vi } from 'vitest';
import { SecureTokenError } from '../../ipc/errors.js';
import { Experience } from '../../requests/experience.js';
import { createAuthFetch } from '../../requests/fetch.js';
import type { Session, Snapshot } from '../../session/session.js';
import { FakeVault } from '../support/fake-vault.js';
import { deferred, freshPage, recordSnapshots, settle, until } from '../support/helpers.js';
import { signedInPage, withStore } from '../support/project.js';
import { serve, serveApi } from '../support/servers.js';

/** A session that is signed in as the first user, and does what a test says. */
function controlled(overrides: Partial<Session> = {}) {
  let snapshot: Snapshot = { status: 'signedIn', login: 1, canRefresh: true, persisted: true };
  const become = (next: Partial<Snapshot>) => {
    snapshot = { ...snapshot, ...next };
  };
  const session = {
    getSnapshot: () => snapshot,
    freshToken: vi.fn(async () => 't1' as string | undefined),
    refresh: vi.fn(async () => 't2' as string | undefined),
    ...overrides,
  } as unknown as Session & { refresh: ReturnType<typeof vi.fn>; freshToken: ReturnType<typeof vi.fn> };
  return { session, become };
}

const conflict = expect.objectContaining({ name: 'AbortError', code: 'conflict' });

describe('P9 somebody else signs in before the request is sent', () => {
  it.each([
    ['with the token of the new login', 'u1'],
    ['with that of the old one', 't1'],
    ['with none', undefined],
  ])('%s at hand: it is not sent', async (_, token) => {
    const api = await serve((_request, response) => void response.end());
    const fresh = deferred<string | undefined>();
    const { session, become } = controlled({ freshToken: () => fresh.promise });
    const sending = createAuthFetch(session, { origins: [api.origin] })(api.origin, {
      method: 'POST',
      body: 'of the first user',
    });
    become({ login: 3 });
    fresh.resolve(token);
    await expect(sending).rejects.toEqual(conflict);
    await expect(sending).rejects.toThrow(/somebody else has signed in/);
    expect(api.received).toEqual([]);
  });

  it('while the session was hydrating', async () => {
    const api = await serve((_request, response) => void response.end());
    const fresh = deferred<string>();
    const { session, become } = controlled({ freshToken: () => fresh.promise });
    become({ status: 'hydrating', login: 0 });
    const sending = createAuthFetch(session, { origins: [api.origin] })(api.origin);
    become({ status: 'signedIn', login: 1 });
    fresh.resolve('u1');
    await expect(sending).rejects.toEqual(conflict);
  });

  it('the library does not repeat it', async () => {
    const api = await serveApi('u1');
    const fresh = [deferred<string>(), deferred<string>()];
    const freshToken = vi.fn(() => fresh[freshToken.mock.calls.length - 1]?.promise);
    const { session, become } = controlled({ freshToken } as Partial<Session>);
    const authFetch = createAuthFetch(session, { origins: [api.origin] });
    const sending = ofetch.create({}, { fetch: authFetch })(api.origin, { retry: 1 });
    await until(() => expect(freshToken).toHaveBeenCalledTimes(1));
    become({ login: 3 });
    for (const { resolve } of fresh) resolve('u1');
    await expect(sending).rejects.toMatchObject({ cause: conflict });
    expect(freshToken).toHaveBeenCalledTimes(1);
    expect(api.received).toEqual([]);
  });

  it('a request to another origin is none of it', async () => {
    const other = await serve((_request, response) => void response.end('hello'));
    const { session, become } = controlled();
    const authFetch = createAuthFetch(session, { origins: ['https://api.example.com'] });
    const sending = authFetch(other.origin);
    become({ login: 3 });
    expect(await (await sending).text()).toBe('hello');
  });
});

it('P9 the user signs out before the request is sent: it goes out without a token', async () => {
  const api = await serveApi('t1');
  const { session, become } = controlled({ freshToken: async () => undefined });
  const sending = createAuthFetch(session, { origins: [api.origin] })(api.origin);
  become({ status: 'signedOut', login: 2 });
  expect((await sending).status).toBe(401);
  expect(api.received).toMatchObject([{ authorization: undefined }]);
});

describe('P9 somebody else signs in before the 401 is there', () => {
  it('the 401 is returned, whatever the session says', async () => {
    const gate = deferred<void>();
    const api = await serve(async ({ authorization }, response) => {
      if (authorization === 'Bearer t1') await gate.promise;
      response.writeHead(authorization === 'Bearer t1' ? 401 : 200).end('refused');
    });
    const { session, become } = controlled({ refresh: async () => 'u1' });
    const authFetch = createAuthFetch(session, { origins: [api.origin] });
    const sending = authFetch(api.origin, { method: 'POST', body: 'of the first user' });
    await until(() => expect(api.received).toHaveLength(1));
    become({ login: 3 });
    gate.resolve();
    const response = await sending;
    expect([response.status, await response.text()]).toEqual([401, 'refused']);
    expect(api.received).toHaveLength(1);
  });

  it('also during the refresh', async () => {
    const api = await serveApi('u1');
    const next = deferred<string>();
    const { session, become } = controlled({ refresh: () => next.promise });
    const sending = createAuthFetch(session, { origins: [api.origin] })(api.origin);
    await until(() => expect(api.received).toHaveLength(1));
    become({ login: 3 });
    next.resolve('u1');
    expect((await sending).status).toBe(401);
    expect(api.received).toHaveLength(1);
  });
});

it('A16 while the store cannot be read, a request rejects with its error', async () => {
  const api = await serveApi('t1');
  const error = new SecureTokenError('locked', 'the keyring is locked');
  const { session, become } = controlled({ freshToken: async () => undefined });
  become({ status: 'unavailable', error });
  await expect(createAuthFetch(session, { origins: [api.origin] })(api.origin)).rejects.toBe(error);
  expect(api.received).toEqual([]);
});

describe('A11 the session is told whether the server took the token before', () => {
  async function client() {
    const refused = new Set<string>();
    const api = await serve(({ path, authorization }, response) => {
      response.writeHead(refused.has(path) || authorization === 'Bearer t2' ? 401 : 200).end();
    });
    const { session } = controlled();
    const authFetch = createAuthFetch(session, { origins: [api.origin] });
    const ask = async (path: string) => (await authFetch(`${api.origin}${path}`)).status;
    const told = () => session.refresh.mock.calls.map(([token, options]) => [token, options.accepted]);
    return { session, refused, ask, told };
  }

  it('not if only other addresses took it: that endpoint refuses every token', async () => {
    const { refused, ask, told } = await client();
    refused.add('/broken');
    expect(await ask('/fine')).toBe(200);
    expect(await ask('/broken')).toBe(401);
    expect(told()).toEqual([['t1', false]]);
  });

  it('but if this address did, whatever its query', async () => {
    const { refused, ask, told } = await client();
    expect(await ask('/me?page=1')).toBe(200);
    refused.add('/me?page=2');
    expect(await ask('/me?page=2')).toBe(401);
    expect(told()).toEqual([['t1', true]]);
  });

  it('not if it took the token before that one', async () => {
    const { session, ask, told } = await client();
    expect(await ask('/me')).toBe(200);
    session.freshToken.mockResolvedValue('t2');
    expect(await ask('/me')).toBe(401);
    expect(told()).toEqual([['t2', false]]);
  });

  it('also by the repetition', async () => {
    let current = 't2';
    const api = await serve(({ authorization }, response) => {
      response.writeHead(authorization === `Bearer ${current}` ? 200 : 401).end();
    });
    const { session } = controlled();
    const authFetch = createAuthFetch(session, { origins: [api.origin] });
    expect((await authFetch(api.origin)).status).toBe(200);
    session.freshToken.mockResolvedValue('t2');
    session.refresh.mockResolvedValue('t3');
    current = 't3';
    expect((await authFetch(api.origin)).status).toBe(200);
    expect(session.refresh.mock.calls).toEqual([
      ['t1', { accepted: false }],
      ['t2', { accepted: true }],
    ]);
  });

  it('nor asked again for a minute, if it refused the next token as well', async () => {
    vi.useFakeTimers({ now: 100_000_000, toFake: ['Date'] });
    const api = await serve((_request, response) => void response.writeHead(401).end());
    const { session } = controlled();
    const authFetch = createAuthFetch(session, { origins: [api.origin] });
    const ask = async (after: number) => {
      vi.setSystemTime(Date.now() + after);
      expect((await authFetch(api.origin, { method: 'POST', body: 'body' })).status).toBe(401);
      return session.refresh.mock.calls.length;
    };
    expect(await ask(0)).toBe(1);
    session.freshToken.mockResolvedValue('t2');
    expect(await ask(0)).toBe(1);
    expect(await ask(59_999)).toBe(1);
    expect(await ask(1)).toBe(2);
    session.refresh.mockResolvedValue('t3');
    expect(await ask(0)).toBe(3);
    session.freshToken.mockResolvedValue('t3');
    expect(await ask(0)).toBe(3);
    // A clock that is set back must not make it wait for longer.
    expect(await ask(-50_000_000)).toBe(4);
  });

  it('of a thousand addresses at most', () => {
    const experience = new Experience();
    for (let id = 0; id < 1000; id++) experience.add(`/things/${id}`, 't1', 'accepted');
    expect(experience.of('/things/0', 't1')).toBe('accepted');
    experience.add('/one/more', 't1', 'accepted');
    expect(experience.of('/things/0', 't1')).toBeUndefined();
    expect(experience.of('/one/more', 't1')).toBe('accepted');
  });

  it.each([403, 404, 429, 503])(
    'a %i does not count: the server may not have looked at it',
    async (status) => {
      let isRefused = false;
      const api = await serve((_request, response) => {
        response.writeHead(isRefused ? 401 : status).end();
      });
      const { session } = controlled();
      const authFetch = createAuthFetch(session, { origins: [api.origin] });
      await authFetch(api.origin);
      isRefused = true;
      await authFetch(api.origin);
      expect(session.refresh.mock.calls).toEqual([['t1', { accepted: false }]]);
    },
  );
});

describe('with a real session', () => {
  const origins = (api: { origin: string }) => ({ origins: [api.origin] });

  withStore('A2 another window logs in as somebody else: the late 401 is returned', async () => {
    const { createSession, vault } = await signedInPage({ token: 't1', refreshToken: 'r1' });
    const gate = deferred<void>();
    const api = await serve(async ({ authorization }, response) => {
      if (authorization === 'Bearer t1') await gate.promise;
      response.writeHead(authorization === 'Bearer u1' ? 200 : 401).end();
    });
    const refresh = vi.fn(async () => ({ token: 't2' }));
    const session = createSession({ refresh });
    const seen = recordSnapshots(session);
    const sending = createAuthFetch(session, origins(api))(api.origin, { method: 'POST', body: 'mine' });
    await until(() => expect(api.received).toHaveLength(1));
    const { login } = session.getSnapshot();
    vault.change({ token: 'u1' });
    await until(() => expect(seen.at(-1)?.login).toBeGreaterThan(login));
    gate.resolve();
    expect((await sending).status).toBe(401);
    expect(api.received).toHaveLength(1);
    expect(refresh).not.toHaveBeenCalled();
  });

  it('one login counts once, also over a login with the same token', async () => {
    const tokens = { token: 't1', refreshToken: 'r1' };
    const page = await freshPage();
    new FakeVault();
    const first = page.createSession();
    await first.login(tokens);
    const { login } = first.getSnapshot();
    // Opens again, since this one can refresh: the owner's snapshot of before comes after the login.
    const second = page.createSession({ refresh: async () => ({ token: 't2' }) });
    const seen = recordSnapshots(second);
    await second.login(tokens);
    await settle();
    expect(new Set(seen.map((snapshot) => snapshot.login - login))).toEqual(new Set([1]));
  });

  it('A7 a refresh that sends its own request through it fails with a sentence that says so', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const { createSession } = await signedInPage({ token: 't1', refreshToken: 'r1' });
    const api = await serveApi('t2');
    const session: Session = createSession({
      refresh: async () => (await authFetch(`${api.origin}/refresh`)).json(),
    });
    const authFetch = createAuthFetch(session, origins(api));
    const error = await authFetch(api.origin).catch((error: unknown) => error);
    expect(error).toMatchObject({
      code: 'invalid-argument',
      message: expect.stringMatching(/waits for itself/),
    });
    expect(warn.mock.calls.flat().join()).toMatch(/waits for itself/);
    expect(session.getSnapshot().status).toBe('signedIn');
  });

  it('A11 an endpoint that refuses every token, beside one that does not: one refresh a minute', async () => {
    vi.useFakeTimers({ now: 1_000_000, toFake: ['Date'] });
    const { createSession } = await signedInPage({ token: 't0', refreshToken: 'r0' });
    const api = await serve(({ path }, response) => {
      response.writeHead(path === '/broken' ? 401 : 200).end();
    });
    let turn = 0;
    const refresh = vi.fn(async () => ({ token: `t${++turn}`, refreshToken: `r${turn}` }));
    const session = createSession({ refresh });
    await session.ready();
    const authFetch = createAuthFetch(session, origins(api));
    for (const minute of [1, 2, 3]) {
      for (let second = 0; second < 60; second++) {
        expect((await authFetch(`${api.origin}/broken`)).status).toBe(401);
        expect((await authFetch(`${api.origin}/fine`)).status).toBe(200);
        vi.setSystemTime(Date.now() + 1000);
      }
      expect(refresh).toHaveBeenCalledTimes(minute);
    }
  });
});
