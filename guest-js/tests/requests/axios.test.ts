// The axios binding, with the real axios and real servers.

import { inspect } from 'node:util';
import axios, { type AxiosError, AxiosHeaders, type AxiosInstance, CanceledError } from 'axios';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { attachSession } from '../../requests/axios.js';
import type { Session, SessionOptions } from '../../session/session.js';
import { deferred } from '../support/helpers.js';
import { signedInPage } from '../support/project.js';
import { serve, serveApi } from '../support/servers.js';
import { testRefusals } from './clients/refusals.js';

let createSession: typeof import('../../session/session.js').createSession;

beforeEach(async () => {
  ({ createSession } = await signedInPage({ token: 'SECRET-1', refreshToken: 'SECRET-r1' }));
});

const renew = () => vi.fn(async () => ({ token: 'SECRET-2', refreshToken: 'SECRET-r2' }));

/** An instance of axios for a listed API. */
function client(origin: string, options: SessionOptions = {}) {
  const session = createSession(options);
  const api = axios.create({ baseURL: `${origin}/v1` });
  return { session, api, detach: attachSession(api, session, { origins: [origin] }) };
}

/** An API that answers with what it was sent. */
const echo = () =>
  serve(({ method, path, authorization, body }, response) => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ method, path, authorization, body }));
  });

const failureOf = (work: Promise<unknown>) => work.catch((error: unknown) => error);

describe('P4 the token goes to listed origins and nowhere else', () => {
  it('below baseURL', async () => {
    const server = await echo();
    const { api } = client(server.origin);
    const { data } = await api.get('/me', { params: { x: '1' } });
    expect(data).toMatchObject({ method: 'GET', path: '/v1/me?x=1', authorization: 'Bearer SECRET-1' });
  });

  it('not to an absolute address outside baseURL', async () => {
    const [server, other] = [await echo(), await echo()];
    const { api } = client(server.origin);
    expect((await api.get(`${other.origin}/me`)).data.authorization).toBeUndefined();
    expect((await api.get('/me', { baseURL: other.origin })).data.authorization).toBeUndefined();
    expect((await api.get(`${server.origin}/other`)).data.authorization).toBe('Bearer SECRET-1');
  });

  it('an interceptor that changes the address, whether it was there before or came after', async () => {
    const [server, other] = [await echo(), await echo()];
    const before = axios.create();
    const after = axios.create();
    const leave = (instance: AxiosInstance) =>
      instance.interceptors.request.use((config) => ({ ...config, url: `${other.origin}/left` }));
    leave(before);
    for (const instance of [before, after]) {
      attachSession(instance, createSession(), { origins: [server.origin] });
    }
    leave(after);
    for (const instance of [before, after]) {
      expect((await instance.get(server.origin)).data).toEqual({ method: 'GET', path: '/left', body: '' });
    }
  });

  it('an Authorization of the caller is kept, also as auth or in the address', async () => {
    const server = await echo();
    const { api } = client(server.origin);
    const basic = `Basic ${btoa('ada:pw')}`;
    const headers = { AUTHORIZATION: 'Token abc' };
    expect((await api.get('/me', { headers })).data.authorization).toBe('Token abc');
    expect((await api.get('/me', { auth: { username: 'ada', password: 'pw' } })).data.authorization).toBe(
      basic,
    );
    const address = server.origin.replace('//', '//ada:pw@');
    expect((await api.get(address)).data.authorization).toBe(basic);
  });

  it('a redirect is not followed', async () => {
    const other = await echo();
    const server = await serve((_request, response) => {
      response.writeHead(302, { location: `${other.origin}/stolen` }).end();
    });
    const { api } = client(server.origin);
    const follow = { maxRedirects: 5, fetchOptions: { redirect: 'follow' } };
    for (const config of [{}, follow]) {
      expect(await failureOf(api.get('/me', config))).toMatchObject({
        name: 'AxiosError',
        code: 'ERR_NETWORK',
      });
    }
    expect(server.received).toHaveLength(2);
    expect(other.received).toHaveLength(0);
  });

  it('neither a response nor an error shows it', async () => {
    const server = await serve((_request, response, index) => {
      response.writeHead(index === 0 ? 200 : 403).end();
    });
    const { api } = client(server.origin);
    const response = await api.get('/me');
    const error = await failureOf(api.get('/me'));
    const unreachable = await failureOf(client('http://127.0.0.1:1').api.get('/me'));
    expect(server.received.map(({ authorization }) => authorization)).toEqual(
      Array(2).fill('Bearer SECRET-1'),
    );
    expect(error).toMatchObject({ name: 'AxiosError', status: 403 });
    expect(unreachable).toMatchObject({ name: 'AxiosError', code: 'ERR_NETWORK' });
    for (const shown of [response, error, unreachable]) {
      expect(inspect(shown, { depth: 9, showHidden: true })).not.toContain('SECRET');
      expect(JSON.stringify((shown as AxiosError).toJSON?.() ?? {})).not.toContain('SECRET');
    }
  });

  it.each([[], ['http://api.example.com'], ['https://api.example.com/v1']])('%s throws', (...origins) => {
    expect(() => attachSession(axios.create(), createSession(), { origins })).toThrow(TypeError);
  });
});

describe('a 401', () => {
  it('costs one refresh for all requests of all instances, which are sent once more', async () => {
    const server = await serveApi('SECRET-2');
    const refresh = renew();
    const session = createSession({ refresh });
    const instances = [axios.create(), axios.create({ baseURL: server.origin })];
    for (const instance of instances) attachSession(instance, session, { origins: [server.origin] });
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, n) => instances[n % 2]?.get(`${server.origin}/${n}`)),
    );
    expect(answers.map((answer) => answer?.data)).toEqual(Array(20).fill('hello'));
    expect(refresh).toHaveBeenCalledTimes(1);
    expect(server.received.length).toBeLessThanOrEqual(40);
  });

  const form = () => {
    const data = new FormData();
    data.set('name', 'Ada');
    data.set('file', new Blob(['content']), 'a.txt');
    return data;
  };

  it.each([
    ['JSON', () => ({ name: 'Ada' }), ['{"name":"Ada"}']],
    ['a FormData', form, ['name="name"', 'Ada', 'filename="a.txt"', 'content']],
    ['URLSearchParams', () => new URLSearchParams({ name: 'Ada' }), ['name=Ada']],
    ['a Blob', () => new Blob(['bytes']), ['bytes']],
    ['bytes', () => new TextEncoder().encode('bytes'), ['bytes']],
  ])('is answered with the same body again: %s', async (_kind, body, parts) => {
    const server = await serveApi('SECRET-2');
    const { api } = client(server.origin, { refresh: renew() });
    expect((await api.post('/me', body())).data).toBe('hello');
    expect(server.received).toHaveLength(2);
    for (const { body } of server.received) for (const part of parts) expect(body).toContain(part);
  });

  it('with the progress of an upload', async () => {
    const server = await serveApi('SECRET-2');
    const { api } = client(server.origin, { refresh: renew() });
    const onUploadProgress = vi.fn();
    const body = 'x'.repeat(200_000);
    expect((await api.put('/file', body, { onUploadProgress })).data).toBe('hello');
    expect(server.received.map(({ body }) => body.length)).toEqual([200_000, 200_000]);
    await vi.waitFor(() => expect(onUploadProgress.mock.lastCall?.[0].loaded).toBe(200_000));
  });

  it('a refresh that fails is the cause of the error', async () => {
    const server = await serveApi('SECRET-2');
    const cause = new Error('no network');
    const { api, session } = client(server.origin, { refresh: () => Promise.reject(cause) });
    expect(await failureOf(api.get('/me'))).toMatchObject({ isAxiosError: true, cause });
    expect(session.getSnapshot().status).toBe('signedIn');
  });

  it('the second one is the error of axios, and goes to its interceptors', async () => {
    const server = await serveApi('nothing');
    const refresh = renew();
    const { api } = client(server.origin, { refresh });
    const seen = vi.fn((error: unknown) => Promise.reject(error));
    api.interceptors.response.use(undefined, seen);
    expect(await failureOf(api.get('/me'))).toMatchObject({ name: 'AxiosError', status: 401 });
    expect(seen).toHaveBeenCalledTimes(1);
    expect(refresh).toHaveBeenCalledTimes(1);
    expect(server.received).toHaveLength(2);
  });
});

describe('what axios does stays', () => {
  it('validateStatus, transformResponse, headers', async () => {
    const server = await serve((_request, response) => {
      response.writeHead(404, { 'x-theirs': '1' }).end('gone');
    });
    const { api } = client(server.origin);
    const response = await api.get('/me', {
      validateStatus: () => true,
      transformResponse: (text: string) => text.toUpperCase(),
    });
    expect(response).toMatchObject({ status: 404, data: 'GONE' });
    expect(AxiosHeaders.from(response.headers as AxiosHeaders).get('x-theirs')).toBe('1');
    expect(await failureOf(api.get('/me'))).toMatchObject({ name: 'AxiosError', status: 404 });
  });

  it('responseType', async () => {
    const server = await serve((_request, response) => void response.end('bytes'));
    const { api } = client(server.origin);
    const buffer = (await api.get<ArrayBuffer>('/me', { responseType: 'arraybuffer' })).data;
    expect(new TextDecoder().decode(buffer)).toBe('bytes');
    const stream = (await api.get<ReadableStream>('/me', { responseType: 'stream' })).data;
    expect(await new Response(stream).text()).toBe('bytes');
    const blob = (await api.get<Blob>('/me', { responseType: 'blob' })).data;
    expect(await blob.text()).toBe('bytes');
  });

  it('onDownloadProgress', async () => {
    const server = await serve((_request, response) => void response.end('x'.repeat(1000)));
    const { api } = client(server.origin);
    const onDownloadProgress = vi.fn();
    await api.get('/me', { onDownloadProgress });
    await vi.waitFor(() => expect(onDownloadProgress.mock.lastCall?.[0].loaded).toBe(1000));
  });

  it('a timeout, while the server is silent and while a refresh is', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    // Shorter than the deadline of a refresh.
    const timeout = 20_000;
    const arrived = deferred<void>();
    const silent = await serve(() => arrived.resolve());
    const waiting = failureOf(client(silent.origin).api.get('/me', { timeout }));
    await arrived.promise;
    await vi.advanceTimersByTimeAsync(timeout);
    expect(await waiting).toMatchObject({
      code: 'ETIMEDOUT',
      message: expect.stringContaining('timeout'),
    });

    const server = await serveApi('SECRET-2');
    const refreshing = deferred<void>();
    const refresh = () => {
      refreshing.resolve();
      return new Promise<never>(() => {});
    };
    const waitingToo = failureOf(client(server.origin, { refresh }).api.get('/me', { timeout }));
    await refreshing.promise;
    await vi.advanceTimersByTimeAsync(timeout);
    expect(await waitingToo).toMatchObject({ code: 'ETIMEDOUT' });
  });

  it('a signal, while the server is silent and while a refresh is', async () => {
    const arrived = deferred<void>();
    const silent = await serve(() => arrived.resolve());
    const abort = new AbortController();
    const waiting = failureOf(client(silent.origin).api.get('/me', { signal: abort.signal }));
    await arrived.promise;
    abort.abort();
    expect(await waiting).toBeInstanceOf(CanceledError);

    const server = await serveApi('SECRET-2');
    const abortRefresh = new AbortController();
    const refresh = vi.fn(() => {
      abortRefresh.abort();
      return new Promise<never>(() => {});
    });
    const { api } = client(server.origin, { refresh });
    expect(await failureOf(api.get('/me', { signal: abortRefresh.signal }))).toBeInstanceOf(CanceledError);
    expect(server.received).toHaveLength(1);
  });

  it('an env of the app', async () => {
    const server = await echo();
    const { api } = client(server.origin);
    const made = vi.fn();
    class OwnFormData extends FormData {
      constructor() {
        super();
        made();
      }
    }
    await api.postForm('/me', { name: 'Ada' }, { env: { FormData: OwnFormData } });
    expect(made).toHaveBeenCalled();
    expect(server.received[0]?.body).toContain('name="name"');
  });

  it('the fetch of the app sends, with no User-Agent but one of the app', async () => {
    const agents: (string | null)[] = [];
    const send: typeof fetch = async (input, init) => {
      agents.push(new Request(input, init).headers.get('user-agent'));
      return Response.json({ sent: true });
    };
    const api = axios.create();
    attachSession(api, createSession(), { origins: ['https://api.example.com'], fetch: send });
    for (const url of ['https://api.example.com/me', 'https://other.example.com']) {
      expect((await api.get(url)).data).toEqual({ sent: true });
      await api.get(url, { headers: { 'user-agent': 'own' } });
    }
    expect(agents).toEqual([null, 'own', null, 'own']);
  });
});

it('an instance made before or after is untouched, and so is this one once it is detached', async () => {
  const server = await echo();
  const before = axios.create({ baseURL: server.origin });
  const { api, detach } = client(server.origin);
  const after = axios.create({ baseURL: server.origin });
  expect((await before.get('/me')).data.authorization).toBeUndefined();
  expect((await after.get('/me')).data.authorization).toBeUndefined();
  detach();
  expect((await api.get('/me')).data.authorization).toBeUndefined();
});

it('a second session for one instance is refused, until the first has ended', async () => {
  const server = await echo();
  const { api, detach } = client(server.origin);
  const [second, third] = [createSession({ account: 'second' }), createSession({ account: 'third' })];
  await second.login({ token: 'SECRET-2' });
  await third.login({ token: 'SECRET-3' });
  const options = { origins: [server.origin] };
  const refused = {
    name: 'TypeError',
    code: 'invalid-argument',
    message: expect.stringContaining('already'),
  };
  const attach = (session: Session) => () => attachSession(api, session, options);
  expect(attach(second)).toThrow(expect.objectContaining(refused));
  expect((await api.get('/me')).data.authorization).toBe('Bearer SECRET-1');
  detach();
  attach(second)();
  expect((await api.get('/me')).data.authorization).toBe('Bearer SECRET-2');
  // A function that was called already does not end what came after it.
  detach();
  expect(attach(third)).toThrow(expect.objectContaining(refused));
  expect((await api.get('/me')).data.authorization).toBe('Bearer SECRET-2');
});

it('options that are refused leave the instance free', async () => {
  const server = await echo();
  const api = axios.create();
  const session = createSession();
  expect(() => attachSession(api, session, { origins: [] })).toThrow(TypeError);
  attachSession(api, session, { origins: [server.origin] });
  expect((await api.get(server.origin)).data.authorization).toBe('Bearer SECRET-1');
});

it('P4 a config that is used again after the end of the session carries no token', async () => {
  const server = await echo();
  const { api, detach } = client(server.origin);
  const { config } = await api.get('/me');
  detach();
  for (const instance of [api, axios]) {
    expect((await instance.request(config)).data.authorization).toBeUndefined();
  }
});

const axiosWith = (session: Session, options: Parameters<typeof attachSession>[2], config?: object) => {
  const api = axios.create({ validateStatus: () => true, ...config });
  attachSession(api, session, options);
  return (url: string, body?: object) => (body ? api.post(url, body) : api.get(url));
};

testRefusals({
  connect: (session, options) => axiosWith(session, options),
  once: (session, options) => axiosWith(session, options, { fetchOptions: { repeat: false } }),
  reason: ({ cause }) => cause,
});
