// The options of createAuthFetch, and what it makes of a response.

import { beforeEach, describe, expect, it, vi } from 'vitest';
import { SessionEnded } from '../../index.js';
import { isInvalidToken } from '../../requests/challenge.js';
import { type AuthFetchOptions, createAuthFetch } from '../../requests/fetch.js';
import type { Session, Tokens } from '../../session/session.js';
import { until } from '../support/helpers.js';
import { keyStore, signedInPage } from '../support/project.js';
import { serve, serveApi } from '../support/servers.js';

let page: Awaited<ReturnType<typeof signedInPage>>;

beforeEach(async () => {
  page = await signedInPage({ token: 't1', refreshToken: 'r1' });
});

const newTokens = () => vi.fn(async (): Promise<Tokens> => ({ token: 't2', refreshToken: 'r2' }));
const origins = ['https://api.example.com'];

describe('options that break their rules are refused', () => {
  it.each<[string, object, RegExp]>([
    ['text for a list', { origins: 'https://api.example.com' }, /must be a list: \['https:/],
    ['false for a list', { origins: false }, /must be a list/],
    ['an address', { origins: ['https://api.example.com/v1'] }, /bare.*: https:\/\/api\.example\.com\/v1$/],
    ['no address', { origins: ['api.example.com'] }, /bare/],
    ['no text', { origins: [undefined] }, /bare/],
    ['http: in origins', { origins: ['http://10.0.2.2:3000'] }, /https: or loopback/],
    ['https: in insecureOrigins', { origins, insecureOrigins: ['https://api.example.com'] }, /bare/],
    ['an address in insecureOrigins', { origins, insecureOrigins: ['http://10.0.2.2:3000/'] }, /bare/],
    ['text for insecureOrigins', { origins, insecureOrigins: 'http://10.0.2.2:3000' }, /must be a list/],
    ['no origin at all', { origins: [], insecureOrigins: [] }, /no origins/],
    ['a scheme with a space', { origins, scheme: 'Bearer ' }, /scheme/],
    ['a scheme with a line break', { origins, scheme: 'Token\r\nX-Own' }, /scheme/],
    ['no scheme', { origins, scheme: '' }, /scheme/],
    [
      'an option that does not exist',
      { origins, origin: 'https://api.example.com' },
      /unknown option: origin$/,
    ],
    ['an option of another library', { origins, retry: 2 }, /unknown option: retry/],
  ])('%s', (_, options, message) => {
    vi.spyOn(console, 'warn').mockImplementation(() => {});
    expect(() => createAuthFetch({} as Session, options as AuthFetchOptions)).toThrow(
      expect.objectContaining({
        name: 'TypeError',
        code: 'invalid-argument',
        message: expect.stringMatching(message),
      }),
    );
  });

  it('an option that is undefined is one that is not given', async () => {
    const api = await serveApi('t1');
    const options = { insecureOrigins: undefined, fetch: undefined, scheme: undefined, expired: undefined };
    const authFetch = createAuthFetch(page.createSession(), { origins: [api.origin], ...options });
    expect((await authFetch(api.origin)).status).toBe(200);
  });
});

describe('insecureOrigins', () => {
  const send = vi.fn(async (_input: unknown, _init?: RequestInit) => new Response());
  const tokenFor = async (url: string, insecureOrigins: AuthFetchOptions['insecureOrigins']) => {
    send.mockClear();
    const options = { origins, insecureOrigins, fetch: send as typeof fetch };
    const authFetch = createAuthFetch(page.createSession(), options);
    await authFetch(url);
    await authFetch(url);
    return new Headers(send.mock.lastCall?.[1]?.headers).get('authorization');
  };

  it('get the token, with one warning', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    expect(await tokenFor('http://10.0.2.2:3000/me', ['http://10.0.2.2:3000'])).toBe('Bearer t1');
    const warnings = warn.mock.calls.flat().filter((text) => text.includes('10.0.2.2'));
    expect(warnings).toEqual([expect.stringMatching(/unencrypted/)]);
    expect(warnings.join()).not.toContain('t1');
  });

  it('P4 no other insecure origin does', async () => {
    vi.spyOn(console, 'warn').mockImplementation(() => {});
    for (const url of ['http://10.0.2.2/', 'http://10.0.2.2:3001/', 'http://api.example.com/']) {
      expect(await tokenFor(url, ['http://10.0.2.2:3000'])).toBeNull();
    }
  });

  it('false is none, and warns of nothing', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    expect(await tokenFor('http://10.0.2.2:3000/me', false)).toBeNull();
    expect(await tokenFor('https://api.example.com/me', false)).toBe('Bearer t1');
    expect(warn.mock.calls.flat().filter((text) => text.includes('unencrypted'))).toEqual([]);
  });
});

describe('expired', () => {
  it('may look into the body, which the caller can still read', async () => {
    const api = await serve(({ authorization }, response) => {
      response.writeHead(authorization === 'Bearer t2' ? 200 : 403);
      response.end(authorization === 'Bearer t2' ? 'hello' : '{"code":"token_expired"}');
    });
    const seen: unknown[] = [];
    const expired = async (response: Response) => {
      if (response.status !== 403) return false;
      const { code } = await response.clone().json();
      seen.push(code);
      return code === 'token_expired' && !response.url.endsWith('/forbidden');
    };
    const refresh = newTokens();
    const authFetch = createAuthFetch(page.createSession({ refresh }), { origins: [api.origin], expired });
    const forbidden = await authFetch(`${api.origin}/forbidden`);
    expect(await forbidden.json()).toEqual({ code: 'token_expired' });
    expect(refresh).not.toHaveBeenCalled();
    expect(await (await authFetch(api.origin)).text()).toBe('hello');
    expect(seen).toEqual(['token_expired', 'token_expired']);
  });

  it('is not asked about the repetition, nor about a request without a token', async () => {
    const api = await serve((_, response) => void response.writeHead(419).end());
    const expired = vi.fn(({ status }: Response) => status === 419);
    const refresh = newTokens();
    const session = page.createSession({ refresh });
    const authFetch = createAuthFetch(session, { origins: [api.origin], expired });
    expect((await authFetch(api.origin)).status).toBe(419);
    expect(expired).toHaveBeenCalledTimes(1);
    expect(refresh).toHaveBeenCalledTimes(1);
    await session.logout();
    expect((await authFetch(api.origin)).status).toBe(419);
    expect(expired).toHaveBeenCalledTimes(1);
  });

  it('replaces the rule about 401', async () => {
    const api = await serveApi('t2');
    const refresh = newTokens();
    const session = page.createSession({ refresh });
    const expired = ({ status }: Response) => status === 403;
    expect((await createAuthFetch(session, { origins: [api.origin], expired })(api.origin)).status).toBe(401);
    expect(refresh).not.toHaveBeenCalled();
  });

  it('that throws rejects', async () => {
    const api = await serveApi('t2');
    const failure = new SyntaxError('no JSON');
    const expired = () => Promise.reject(failure);
    const authFetch = createAuthFetch(page.createSession(), { origins: [api.origin], expired });
    await expect(authFetch(api.origin)).rejects.toBe(failure);
  });
});

describe('a 401', () => {
  it.each<[string | null, boolean]>([
    [null, true],
    ['', true],
    ['Bearer', true],
    ['bearer realm="api"', true],
    ['Bearer error=invalid_token', true],
    ['Bearer error="invalid_token"', true],
    ['Bearer realm="a", error = "invalid_token", error_description="it expired"', true],
    ['Bearer error_description="has no code"', true],
    ['Basic realm="api", Bearer', true],
    ['Bearer error="invalid_token", Basic realm="api"', true],
    ['Bearer error="insufficient_user_authentication", acr_values="strong"', false],
    ['Bearer error_description="A Bearer token of more", error="insufficient_scope"', false],
    ['BEARER ERROR="insufficient_scope"', false],
    ['Bearer error="invalid_request"', false],
    ['Bearer error="invalid_token_of_another_kind"', false],
    ['Basic realm="api"', false],
    ['Negotiate', false],
    ['Negotiate, Digest realm="api", nonce="x"', false],
    ['DPoP error="invalid_token"', false],
    // Several challenges, commas within quotes, and Bearer as a word within them (RFC 9110 section 11.6.1).
    ['Basic realm="use Bearer, or this"', false],
    ['Digest realm="Bearer error=invalid_token", qop="auth"', false],
    ['Basic realm="a, Bearer b"', false],
    ['Bearer realm="a, b", error="invalid_token"', true],
    ['Bearer realm="a, error=insufficient_scope, b"', true],
    ['Bearer error="invalid\\_token"', true],
    ['Bearer realm="error=\\"insufficient_scope\\", invalid"', true],
    ['Bearer realm="say \\"error=", error="insufficient_scope"', false],
    ['Bearer, Basic realm="a", error="insufficient_scope"', true],
    ['Basic realm="a", error="invalid_token", Bearer error="insufficient_scope"', false],
    ['Bearer error="insufficient_scope", Basic realm="a", error="invalid_token"', false],
    ['DPoP algs="ES256", Bearer error="invalid_token", error_description="it, too, expired"', true],
    ['Bearer error="insufficient_scope", Bearer error="invalid_token"', true],
    ['Bearer realm="a", Bearer error="insufficient_scope"', false],
    ['Negotiate oYG3MIG0oAMKAQ==, Bearer\terror="insufficient_scope"', false],
    [',, ,Bearer ,, error="insufficient_scope"', false],
    ['BearerToken realm="a"', false],
    ['X-Bearer error="invalid_token"', false],
    ['Bearer x_error="insufficient_scope"', true],
    // Broken headers: what can be understood decides.
    ['Bearer error="insufficient_scope', false],
    ['Bearer error="invalid_token", error_description=The token has expired, sign in', true],
    ['error="invalid_token"', true],
    ['"', true],
  ])('with %s: refreshed is %s', (header, isRefreshed) => {
    expect(isInvalidToken(header, 'Bearer')).toBe(isRefreshed);
  });

  it('whose body is cut off does not matter after a refresh', async () => {
    const api = await serve(({ authorization }, response) => {
      if (authorization === 'Bearer t2') return void response.end('hello');
      response.writeHead(401, { 'content-length': '100' });
      response.write('cut', () => response.destroy());
    });
    // Waits until the body has failed.
    const seen = vi.fn();
    const send: typeof fetch = async (input, init) => {
      const response = await fetch(input, init);
      if (response.status === 401) await response.clone().text().catch(seen);
      return response;
    };
    const session = page.createSession({ refresh: newTokens() });
    for (const input of [`${api.origin}/address`, new Request(`${api.origin}/request`)]) {
      const authFetch = createAuthFetch(session, { origins: [api.origin], fetch: send });
      expect(await (await authFetch(input)).text()).toBe('hello');
    }
    expect(seen).toHaveBeenCalled();
  });

  it.each([new Response(null, { status: 502 }), { status: 502 }, 'offline: 502', 502])(
    'whose refresh rejects with what is no error (%o) rejects with one that has it as its cause alone',
    async (cause) => {
      const api = await serveApi('never');
      const session = page.createSession({ refresh: () => Promise.reject(cause) });
      const authFetch = createAuthFetch(session, { origins: [api.origin] });
      for (const input of [api.origin, new Request(api.origin)]) {
        const error = await authFetch(input).catch((error: unknown) => error);
        expect(error).toBeInstanceOf(Error);
        expect(error).toMatchObject({ cause, message: expect.stringMatching(/failed( with 502)?$/) });
      }
      expect(session.getSnapshot().status).toBe('signedIn');
    },
  );

  it('of a request with `repeat: false` is handed on, and `true` is the default', async () => {
    const api = await serveApi('t2');
    const refresh = newTokens();
    const authFetch = createAuthFetch(page.createSession({ refresh }), { origins: [api.origin] });
    const password = { method: 'POST', body: 'wrong', repeat: false };
    expect((await authFetch(api.origin, password)).status).toBe(401);
    expect((await authFetch(new Request(api.origin), { repeat: false })).status).toBe(401);
    expect(refresh).not.toHaveBeenCalled();
    expect((await authFetch(api.origin, { repeat: true })).status).toBe(200);
  });
});

// docs/requests.md, "An API without refresh tokens"
describe('an API without refresh tokens', () => {
  const rule = {
    async refresh(): Promise<never> {
      throw new SessionEnded('this API has no refresh tokens');
    },
  };

  it('a 401 ends the session, and is handed on', async () => {
    const api = await serveApi('never');
    const onSignedOut = vi.fn();
    const session = page.createSession({ ...rule, onSignedOut });
    const authFetch = createAuthFetch(session, { origins: [api.origin] });
    const responses = await Promise.all([authFetch(api.origin), authFetch(api.origin)]);
    expect(responses.map(({ status }) => status)).toEqual([401, 401]);
    expect(session.getSnapshot().status).toBe('signedOut');
    expect(onSignedOut.mock.calls).toEqual([['refused']]);
    if (keyStore) await until(() => expect(page.vault.records.has('default')).toBe(false));
  });

  it('neither a 401 for another reason does, nor a late one of an earlier login', async () => {
    let answer = () => {};
    const api = await serve(({ path }, response) => {
      if (path === '/late') answer = () => void response.writeHead(401).end();
      else response.writeHead(401, { 'www-authenticate': 'Basic' }).end();
    });
    const session = page.createSession(rule);
    const authFetch = createAuthFetch(session, { origins: [api.origin] });
    expect((await authFetch(api.origin)).status).toBe(401);
    const late = authFetch(`${api.origin}/late`);
    await until(() => expect(api.received).toHaveLength(2));
    await session.login({ token: 'u1' });
    answer();
    expect((await late).status).toBe(401);
    expect(session.getToken()).toBe('u1');
  });
});
