// createAuthFetch, with real servers and the real fetch of Node.

import { beforeEach, describe, expect, it, vi } from 'vitest';
import { createAuthFetch } from '../../requests/fetch.js';
import type { Session, SessionOptions, Tokens } from '../../session/session.js';
import { type FakeVault, rejection } from '../support/fake-vault.js';
import { deferred, settle, until } from '../support/helpers.js';
import { keyStore, signedInPage, withStore } from '../support/project.js';
import { serve, serveApi } from '../support/servers.js';

let createSession: typeof import('../../session/session.js').createSession;
let vault: FakeVault;

beforeEach(async () => {
  ({ createSession, vault } = await signedInPage({ token: 't1', refreshToken: 'r1' }));
});

const nextTokens = () => {
  let turn = 1;
  return vi.fn(async (): Promise<Tokens> => {
    turn++;
    return { token: `t${turn}`, refreshToken: `r${turn}` };
  });
};

/** A fetch of a listed API, beside the session it uses. */
function client(origin: string, options: SessionOptions = {}) {
  const session = createSession(options);
  return { session, authFetch: createAuthFetch(session, { origins: [origin] }) };
}

describe('P4 origins are checked when the fetch is made', () => {
  const session = {} as Session;

  it.each([
    'https://api.example.com',
    'https://api.example.com:8443',
    'https://[2001:db8::1]',
    'http://localhost:8787',
    'http://127.0.0.1',
    'http://127.1.2.3',
    'http://[::1]:3000',
  ])('%s is fine', (origin) => {
    expect(createAuthFetch(session, { origins: [origin] })).toBeTypeOf('function');
  });

  it.each([
    [],
    ['http://api.example.com'],
    ['http://localhost.example.com'],
    ['http://127.0.0.1.example.com'],
    ['http://localhost.'],
    ['http://192.168.0.1'],
    ['http://0.0.0.0'],
    ['https://api.example.com/'],
    ['https://api.example.com/v1'],
    ['https://api.example.com?x'],
    ['https://api.example.com:443'],
    ['https://API.example.com'],
    ['https://user@api.example.com'],
    ['https://*.example.com'],
    ['api.example.com'],
    ['//api.example.com'],
    ['tauri://localhost'],
    ['ws://localhost'],
    ['file:///etc'],
    ['null'],
    ['*'],
    [''],
    ['https://api.example.com', 'http://api.example.com'],
  ])('%s throws', (...origins) => {
    expect(() => createAuthFetch(session, { origins })).toThrow(TypeError);
  });

  it.each([undefined, null, {}, { origins: undefined }])('%o throws', (options) => {
    expect(() => createAuthFetch(session, options as never)).toThrow(TypeError);
  });
});

describe('P4 the token goes to listed origins and nowhere else', () => {
  /** What would be sent, without sending it. */
  async function sent(target: string | URL | Request, init?: RequestInit) {
    const send = vi.fn(async (_input: string | URL | Request, _init?: RequestInit) => new Response());
    const session = createSession();
    const authFetch = createAuthFetch(session, { origins: ['https://api.example.com'], fetch: send });
    await authFetch(target, init);
    expect(send).toHaveBeenCalledTimes(1);
    const [input, given] = send.mock.calls[0] as [string | URL | Request, RequestInit | undefined];
    return { input, given, request: new Request(input, given) };
  }

  it.each([
    'https://api.example.com',
    'https://api.example.com/me?x=1#y',
    'https://API.EXAMPLE.com/me',
    'https://api.example.com:443/me',
    'HTTPS://api.example.com/me',
    'https:\\\\api.example.com\\me',
    'https://api.example.com/https://evil.test/',
  ])('%s gets it', async (url) => {
    const { request } = await sent(url);
    expect(request.headers.get('authorization')).toBe('Bearer t1');
    expect(request.url).toBe(new Request(url).url);
  });

  it.each([
    'https://api.example.com.evil.test/',
    'https://evil.test/https://api.example.com/',
    'https://evil.test/?https://api.example.com',
    'https://evil.test#https://api.example.com',
    'https://api.example.com./me',
    'https://sub.api.example.com/',
    'https://example.com/',
    'https://apiXexample.com/',
    'https://api-example.com/',
    'http://api.example.com/',
    'https://api.example.com:444/',
    'https://api.example.com:80/',
    'https://xn--pi-7ka.example.com/',
    'https://аpi.example.com/',
    'https://evil.test\\@api.example.com/',
    'data:text/plain,api.example.com',
  ])('%s gets none, and the call is passed on untouched', async (url) => {
    const init = { headers: { 'x-mine': '1' } };
    const { input, given, request } = await sent(url, init);
    expect(input).toBe(url);
    expect(given).toBe(init);
    expect(request.headers.get('authorization')).toBeNull();
  });

  it.each([
    'https://api.example.com@evil.test/',
    'https://user:pass@api.example.com/',
    'https://t1@evil.test/',
  ])('%s, with user information, is refused as fetch itself does', async (url) => {
    const send = vi.fn();
    const authFetch = createAuthFetch(createSession(), { origins: ['https://api.example.com'], fetch: send });
    await expect(authFetch(url)).rejects.toThrow(TypeError);
    expect(send).not.toHaveBeenCalled();
  });

  it('takes a URL and a Request', async () => {
    expect((await sent(new URL('https://api.example.com/me'))).request.headers.get('authorization')).toBe(
      'Bearer t1',
    );
    expect((await sent(new Request('https://api.example.com/me'))).request.headers.get('authorization')).toBe(
      'Bearer t1',
    );
    expect((await sent(new Request('https://evil.test/'))).request.headers.get('authorization')).toBeNull();
  });

  withStore('a URL object that changes while the request waits', async () => {
    const url = new URL('https://api.example.com/me');
    const open = vault.hold('get_token');
    const sending = sent(url);
    url.host = 'evil.test';
    open();
    expect((await sending).request.url).toBe('https://api.example.com/me');
  });

  it('a URL object that changes before the retry', async () => {
    const url = new URL('https://api.example.com/me');
    const send = vi.fn(async (_url: unknown) => {
      url.host = 'evil.test';
      return new Response(null, { status: 401 });
    });
    const session = createSession({ refresh: nextTokens() });
    await createAuthFetch(session, { origins: ['https://api.example.com'], fetch: send as typeof fetch })(
      url,
    );
    expect(send.mock.calls.map(([target]) => String(target))).toEqual(
      Array(2).fill('https://api.example.com/me'),
    );
  });

  it('an Authorization of the caller is kept, and its 401 is returned', async () => {
    const api = await serveApi('t1');
    const refresh = nextTokens();
    const { authFetch } = client(api.origin, { refresh });
    const headers = { AUTHORIZATION: 'Basic abc' };
    expect((await authFetch(api.origin, { headers })).status).toBe(401);
    expect((await authFetch(new Request(api.origin, { headers }))).status).toBe(401);
    expect(api.received.map(({ authorization }) => authorization)).toEqual(['Basic abc', 'Basic abc']);
    expect(refresh).not.toHaveBeenCalled();
  });

  it('headers of the caller are kept, and its own objects are not changed', async () => {
    const headers = new Headers({ 'x-mine': '1' });
    const init = { headers };
    const { request } = await sent('https://api.example.com', init);
    expect(request.headers.get('x-mine')).toBe('1');
    expect([...headers]).toEqual([['x-mine', '1']]);
    expect(Object.keys(init)).toEqual(['headers']);
    const given = new Request('https://api.example.com', { headers });
    expect((await sent(given)).request.headers.get('x-mine')).toBe('1');
    expect(given.headers.get('authorization')).toBeNull();
  });
});

describe('P4 redirects', () => {
  const redirect = (status: number, location: () => string) =>
    serve((_, response) => {
      response.writeHead(status, { location: location() }).end();
    });

  it.each([301, 302, 303, 307, 308])(
    '%i to another origin: rejected, nothing is sent there',
    async (status) => {
      const other = await serveApi('t1');
      const api = await redirect(status, () => `${other.origin}/steal`);
      const { authFetch } = client(api.origin);
      await expect(authFetch(api.origin)).rejects.toThrow(TypeError);
      await expect(authFetch(api.origin, { redirect: 'follow' })).rejects.toThrow(TypeError);
      await expect(authFetch(new Request(api.origin, { method: 'POST', body: 'x' }))).rejects.toThrow(
        TypeError,
      );
      expect(api.received.map(({ authorization }) => authorization)).toEqual(Array(3).fill('Bearer t1'));
      expect(other.received).toEqual([]);
    },
  );

  it('to the same origin: rejected too', async () => {
    const api = await redirect(302, () => '/next');
    const { authFetch } = client(api.origin);
    await expect(authFetch(api.origin)).rejects.toThrow(TypeError);
    expect(api.received.length).toBe(1);
  });

  it('asked for as manual: the caller gets the response and decides', async () => {
    const api = await redirect(302, () => '/next');
    const { authFetch } = client(api.origin);
    expect((await authFetch(api.origin, { redirect: 'manual' })).status).toBe(302);
    expect((await authFetch(new Request(api.origin, { redirect: 'manual' }))).status).toBe(302);
    expect(api.received.length).toBe(2);
  });

  it('of a request without a token are followed as usual', async () => {
    const other = await serve((_, response) => void response.end('hello'));
    const api = await redirect(302, () => other.origin);
    const { session, authFetch } = client(api.origin);
    await session.logout();
    expect(await (await authFetch(api.origin)).text()).toBe('hello');
    expect(other.received).toMatchObject([{ authorization: undefined }]);
  });

  it('plugin-http, which ignores `redirect`, is told not to follow either', async () => {
    const send = vi.fn(async () => new Response());
    const authFetch = createAuthFetch(createSession(), { origins: ['https://api.example.com'], fetch: send });
    await authFetch('https://api.example.com');
    expect(send.mock.calls).toMatchObject([['https://api.example.com/', { maxRedirections: 0 }]]);
  });
});

describe('401', () => {
  it('is answered by one refresh and one retry', async () => {
    const api = await serveApi('t2');
    const refresh = nextTokens();
    const { authFetch } = client(api.origin, { refresh });
    const response = await authFetch(`${api.origin}/me`);
    expect(await response.text()).toBe('hello');
    expect(api.received).toMatchObject([
      { path: '/me', authorization: 'Bearer t1' },
      { path: '/me', authorization: 'Bearer t2' },
    ]);
    expect(refresh).toHaveBeenCalledTimes(1);
  });

  it.each([2, 100])('%i at once: one refresh, each is sent again once', async (count) => {
    const api = await serveApi('t2');
    const refresh = nextTokens();
    const { session, authFetch } = client(api.origin, { refresh });
    await session.ready();
    const responses = await Promise.all(
      Array.from({ length: count }, (_, index) => authFetch(`${api.origin}/${index}`)),
    );
    expect(new Set(responses.map(({ status }) => status))).toEqual(new Set([200]));
    expect(refresh).toHaveBeenCalledTimes(1);
    expect(api.received.length).toBe(2 * count);
  });

  it('that comes late for a replaced token is sent again without a refresh', async () => {
    const gate = deferred<void>();
    const api = await serve(async ({ path, authorization }, response) => {
      if (path === '/slow' && authorization === 'Bearer t1') await gate.promise;
      response.writeHead(authorization === 'Bearer t2' ? 200 : 401).end();
    });
    const refresh = nextTokens();
    const { authFetch } = client(api.origin, { refresh });
    const slow = authFetch(`${api.origin}/slow`);
    await until(() => expect(api.received.length).toBe(1));
    await authFetch(`${api.origin}/fast`);
    expect(refresh).toHaveBeenCalledTimes(1);
    gate.resolve();
    expect((await slow).status).toBe(200);
    expect(refresh).toHaveBeenCalledTimes(1);
  });

  it('that comes late, after another user signed in: returned, never sent as the other user', async () => {
    const gate = deferred<void>();
    const api = await serve(async ({ authorization }, response) => {
      if (authorization === 'Bearer t1') await gate.promise;
      response.writeHead(authorization === 'Bearer u1' ? 200 : 401).end();
    });
    const { session, authFetch } = client(api.origin, { refresh: nextTokens() });
    const slow = authFetch(api.origin, { method: 'POST', body: 'of the first user' });
    await until(() => expect(api.received.length).toBe(1));
    await session.logout();
    await session.login({ token: 'u1' });
    gate.resolve();
    expect((await slow).status).toBe(401);
    expect(api.received.length).toBe(1);
  });

  it('a second one is returned as it is', async () => {
    const api = await serveApi('never');
    const refresh = nextTokens();
    const { session, authFetch } = client(api.origin, { refresh });
    const response = await authFetch(api.origin);
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toContain('invalid_token');
    expect(await response.text()).toBe('refused');
    expect(api.received.length).toBe(2);
    expect(refresh).toHaveBeenCalledTimes(1);
    expect(session.getSnapshot().status).toBe('signedIn');
  });

  it('without a refresh option is returned, and its body can be read', async () => {
    const api = await serveApi('never');
    const { authFetch } = client(api.origin);
    expect(await (await authFetch(api.origin)).text()).toBe('refused');
    expect(api.received.length).toBe(1);
  });

  it('when the refresh ends the session is returned', async () => {
    const api = await serveApi('never');
    const { session, authFetch } = client(api.origin, { refresh: () => Promise.reject({ status: 401 }) });
    expect((await authFetch(api.origin)).status).toBe(401);
    expect(session.getSnapshot().status).toBe('signedOut');
    expect(api.received.length).toBe(1);
  });

  it('when the refresh finds no network rejects with its error: a 401 would look like a sign-out', async () => {
    const api = await serveApi('never');
    const offline = new TypeError('Failed to fetch');
    const { session, authFetch } = client(api.origin, { refresh: () => Promise.reject(offline) });
    await expect(authFetch(api.origin)).rejects.toBe(offline);
    expect(session.getSnapshot().status).toBe('signedIn');
  });

  it('other answers are returned without a refresh', async () => {
    const api = await serve(({ path }, response) => void response.writeHead(Number(path.slice(1))).end());
    const refresh = nextTokens();
    const { authFetch } = client(api.origin, { refresh });
    for (const status of [200, 204, 304, 400, 403, 404, 429, 500, 503]) {
      expect((await authFetch(`${api.origin}/${status}`)).status).toBe(status);
    }
    expect(refresh).not.toHaveBeenCalled();
  });
});

describe('bodies', () => {
  const form = new FormData();
  form.append('field', 'value');

  it.each<[string, BodyInit, string]>([
    ['text', '{"a":1}', '{"a":1}'],
    ['URLSearchParams', new URLSearchParams({ a: '1' }), 'a=1'],
    ['Blob', new Blob(['blob']), 'blob'],
    ['bytes', new TextEncoder().encode('bytes'), 'bytes'],
    ['FormData', form, 'name="field"\r\n\r\nvalue'],
  ])('%s is sent again with the retry', async (_, body, expected) => {
    const api = await serveApi('t2');
    const { authFetch } = client(api.origin, { refresh: nextTokens() });
    expect((await authFetch(api.origin, { method: 'PUT', body })).status).toBe(200);
    expect(api.received.map(({ method }) => method)).toEqual(['PUT', 'PUT']);
    for (const received of api.received) expect(received.body).toContain(expected);
  });

  it('of a Request is sent again with the retry, with its other properties', async () => {
    const api = await serveApi('t2');
    const { authFetch } = client(api.origin, { refresh: nextTokens() });
    const request = new Request(`${api.origin}/path`, { method: 'PATCH', body: 'body' });
    expect((await authFetch(request)).status).toBe(200);
    expect(api.received).toMatchObject(Array(2).fill({ method: 'PATCH', path: '/path', body: 'body' }));
  });

  it('that is a stream is not sent again: the 401 is returned, and the next request succeeds', async () => {
    const api = await serveApi('t2');
    const refresh = nextTokens();
    const { authFetch } = client(api.origin, { refresh });
    const upload = (target: string | Request) =>
      authFetch(target, {
        method: 'POST',
        body: new Blob(['stream']).stream(),
        duplex: 'half',
      } as RequestInit);
    expect((await upload(api.origin)).status).toBe(401);
    expect((await upload(api.origin)).status).toBe(200);
    expect((await upload(new Request(api.origin, { method: 'PUT', body: 'replaced' }))).status).toBe(200);
    expect(api.received.map(({ method, body }) => [method, body])).toEqual(Array(3).fill(['POST', 'stream']));
    expect(refresh).toHaveBeenCalledTimes(1);
  });

  it('that is a stream: a refresh that fails rejects, since a 401 would look like a sign-out', async () => {
    const api = await serveApi('never');
    const offline = new TypeError('Failed to fetch');
    const { authFetch } = client(api.origin, { refresh: () => Promise.reject(offline) });
    const init = { method: 'POST', body: new Blob(['stream']).stream(), duplex: 'half' } as RequestInit;
    await expect(authFetch(api.origin, init)).rejects.toBe(offline);
  });
});

describe('before the request', () => {
  withStore('waits for the store: no anonymous request at the start', async () => {
    const api = await serveApi('t1');
    const open = vault.hold('get_token');
    const { authFetch } = client(api.origin);
    const response = authFetch(api.origin);
    await settle();
    expect(api.received).toEqual([]);
    open();
    expect((await response).status).toBe(200);
    expect(api.received.length).toBe(1);
  });

  withStore('does not wait for requests to other origins', async () => {
    const other = await serve((_, response) => void response.end());
    vault.hold('get_token');
    const { authFetch } = client('https://api.example.com');
    expect((await authFetch(other.origin)).status).toBe(200);
  });

  it('signed out: sent without a token, the 401 is returned', async () => {
    const api = await serveApi('t1');
    const { session, authFetch } = client(api.origin, { refresh: nextTokens() });
    await session.logout();
    expect((await authFetch(api.origin)).status).toBe(401);
    expect(api.received).toMatchObject([{ authorization: undefined }]);
  });

  withStore('A16 a locked key store: rejects with its error, and is sent once it can be read', async () => {
    const api = await serveApi('t1');
    vault.fail('get_token', rejection('locked'));
    const { session, authFetch } = client(api.origin, { refresh: nextTokens() });
    await expect(authFetch(api.origin)).rejects.toMatchObject({ name: 'SecureTokenError', code: 'locked' });
    await expect(authFetch(new Request(api.origin))).rejects.toMatchObject({ code: 'locked' });
    expect(api.received).toEqual([]);
    expect(vault.records.has('default')).toBe(true);
    await session.hydrate();
    expect((await authFetch(api.origin)).status).toBe(200);
  });

  if (keyStore)
    describe('a token whose time is over', () => {
      beforeEach(() => {
        // The timer must not do what the request is to do.
        vi.stubGlobal('document', { hasFocus: () => false });
        vault.records.set('default', { token: 't1', refreshToken: 'r1', expiresAt: Date.now() - 1 });
        return () => vi.unstubAllGlobals();
      });

      it('is refreshed first: no failed request', async () => {
        const api = await serveApi('t2');
        const refresh = nextTokens();
        const { authFetch } = client(api.origin, { refresh });
        expect((await authFetch(api.origin)).status).toBe(200);
        expect(api.received).toMatchObject([{ authorization: 'Bearer t2' }]);
        expect(refresh).toHaveBeenCalledTimes(1);
      });

      it('is refreshed once for many requests', async () => {
        const api = await serveApi('t2');
        const refresh = nextTokens();
        const { authFetch } = client(api.origin, { refresh });
        await Promise.all(Array.from({ length: 20 }, () => authFetch(api.origin)));
        expect(api.received.length).toBe(20);
        expect(refresh).toHaveBeenCalledTimes(1);
      });

      it('is sent when it cannot be refreshed now: the clock may be wrong, the server decides', async () => {
        const api = await serveApi('t1');
        const refresh = vi.fn(() => Promise.reject(new TypeError('Failed to fetch')));
        const { authFetch } = client(api.origin, { refresh });
        expect((await authFetch(api.origin)).status).toBe(200);
        expect(refresh).toHaveBeenCalledTimes(1);
      });

      it('whose refresh ends the session: sent without a token', async () => {
        const api = await serveApi('t1');
        const { authFetch } = client(api.origin, { refresh: () => Promise.reject({ status: 401 }) });
        expect((await authFetch(api.origin)).status).toBe(401);
        expect(api.received).toMatchObject([{ authorization: undefined }]);
      });
    });

  it('a clock that is wrong does not refresh before each request', async () => {
    const api = await serveApi('t2');
    const refresh = vi.fn(async () => ({ token: 't2', expiresAt: Date.now() - 3_600_000 }));
    const { session, authFetch } = client(api.origin, { refresh });
    await session.ready();
    await session.refresh();
    for (let turn = 0; turn < 3; turn++) expect((await authFetch(api.origin)).status).toBe(200);
    expect(refresh).toHaveBeenCalledTimes(1);
  });
});

describe('abort', () => {
  it('before: nothing is sent', async () => {
    const api = await serveApi('t1');
    const { authFetch } = client(api.origin);
    await expect(authFetch(api.origin, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      name: 'AbortError',
    });
    expect(api.received).toEqual([]);
  });

  withStore('before, while the store does not answer: rejected at once', async () => {
    vault.hold('get_token');
    const { authFetch } = client('https://api.example.com');
    const response = authFetch('https://api.example.com', { signal: AbortSignal.abort() });
    await expect(response).rejects.toMatchObject({ name: 'AbortError' });
  });

  withStore('while the store has not answered', async () => {
    const api = await serveApi('t1');
    const open = vault.hold('get_token');
    const { session, authFetch } = client(api.origin);
    const stop = new AbortController();
    const response = authFetch(api.origin, { signal: stop.signal });
    stop.abort(new Error('the user left'));
    await expect(response).rejects.toThrow('the user left');
    open();
    await session.ready();
    expect(api.received).toEqual([]);
  });

  it.each(['init', 'Request'])(
    'while another waits for the same refresh, given in %s: only this one ends',
    async (where) => {
      const api = await serveApi('t2');
      const answer = deferred<Tokens>();
      const refresh = vi.fn(() => answer.promise);
      const { authFetch } = client(api.origin, { refresh });
      const stop = new AbortController();
      const { signal } = stop;
      const ended =
        where === 'init' ? authFetch(api.origin, { signal }) : authFetch(new Request(api.origin, { signal }));
      const kept = authFetch(api.origin);
      await until(() => expect(api.received.length).toBe(2));
      await until(() => expect(refresh).toHaveBeenCalledTimes(1));
      stop.abort();
      await expect(ended).rejects.toMatchObject({ name: 'AbortError' });
      answer.resolve({ token: 't2' });
      expect((await kept).status).toBe(200);
      expect(api.received.length).toBe(3);
    },
  );

  it('while the server has not answered', async () => {
    const api = await serve(() => {});
    const { authFetch } = client(api.origin);
    const stop = new AbortController();
    const response = authFetch(api.origin, { signal: stop.signal });
    await until(() => expect(api.received.length).toBe(1));
    stop.abort();
    await expect(response).rejects.toMatchObject({ name: 'AbortError' });
  });

  it('a signal that lives long keeps no listener', async () => {
    const stop = new AbortController();
    const added = vi.spyOn(stop.signal, 'addEventListener');
    const removed = vi.spyOn(stop.signal, 'removeEventListener');
    const send = vi.fn(async () => new Response());
    const authFetch = createAuthFetch(createSession(), { origins: ['https://api.example.com'], fetch: send });
    await authFetch('https://api.example.com', { signal: stop.signal });
    expect(send).toHaveBeenCalledTimes(1);
    expect(added.mock.calls.length).toBeGreaterThan(0);
    expect(removed.mock.calls.length).toBe(added.mock.calls.length);
  });
});

it('any fetch may be given', async () => {
  const send = vi.fn(async () => new Response('from elsewhere'));
  const authFetch = createAuthFetch(createSession(), { origins: ['https://api.example.com'], fetch: send });
  expect(await (await authFetch('https://api.example.com')).text()).toBe('from elsewhere');
});
