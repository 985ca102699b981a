// The interceptor for Angular, with the real HttpClient over fetch and real servers.

import '@angular/compiler';
import { inspect } from 'node:util';
import {
  HttpClient,
  HttpErrorResponse,
  HttpEventType,
  type HttpInterceptorFn,
  provideHttpClient,
  withFetch,
  withInterceptors,
  withNoXsrfProtection,
} from '@angular/common/http';
import { createApplication } from '@angular/platform-browser';
import { Window } from 'happy-dom';
import { firstValueFrom, lastValueFrom, retry, toArray } from 'rxjs';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { sessionInterceptor } from '../../requests/angular-http.js';
import type { Session, SessionOptions } from '../../session/session.js';
import { testProviders } from '../bindings/angular-app.js';
import type { FakeVault } from '../support/fake-vault.js';
import { deferred, settle } from '../support/helpers.js';
import { signedInPage, withStore } from '../support/project.js';
import { serve, serveApi } from '../support/servers.js';
import { testRefusals } from './clients/refusals.js';

let createSession: typeof import('../../session/session.js').createSession;
let vault: FakeVault;

// An application wants a document. Everything else is Node's, fetch above all.
Object.assign(globalThis, { document: new Window().document });

beforeEach(async () => {
  // "Angular is running in development mode."
  vi.spyOn(console, 'log').mockImplementation(() => {});
  ({ createSession, vault } = await signedInPage({ token: 'SECRET-1', refreshToken: 'SECRET-r1' }));
});

const renew = () => vi.fn(async () => ({ token: 'SECRET-2', refreshToken: 'SECRET-r2' }));

async function httpWith(...interceptors: HttpInterceptorFn[]): Promise<HttpClient> {
  const app = await createApplication({
    providers: [
      ...testProviders,
      provideHttpClient(withFetch(), withInterceptors(interceptors), withNoXsrfProtection()),
    ],
  });
  onTestFinished(() => app.destroy());
  return app.injector.get(HttpClient);
}

/** An HttpClient for a listed API. */
async function client(origin: string, options: SessionOptions = {}) {
  const session = createSession(options);
  return { session, http: await httpWith(sessionInterceptor(session, { origins: [origin] })) };
}

interface Echo {
  path: string;
  authorization?: string;
  body: string;
}

/** An API that answers with what it was sent. */
const echo = () =>
  serve(({ path, authorization, body }, response) => {
    response.end(JSON.stringify({ path, authorization, body }));
  });

const failureOf = (work: Promise<unknown>) => work.catch((error: unknown) => error);

describe('P4 the token goes to listed origins and nowhere else', () => {
  withStore('to a listed one, when the session is ready', async () => {
    const server = await echo();
    const answer = vault.hold('get_token');
    const { http } = await client(server.origin);
    const asking = firstValueFrom(http.get<Echo>(`${server.origin}/me`, { params: { x: 1 } }));
    await settle();
    expect(server.received).toHaveLength(0);
    answer();
    expect(await asking).toEqual({ path: '/me?x=1', authorization: 'Bearer SECRET-1', body: '' });
  });

  it('not to another', async () => {
    const [server, other] = [await echo(), await echo()];
    const { http } = await client(server.origin);
    expect(await firstValueFrom(http.get<Echo>(`${other.origin}/me`))).toEqual({ path: '/me', body: '' });
    const same = `${other.origin}/?${server.origin}`;
    expect((await firstValueFrom(http.get<Echo>(same))).authorization).toBeUndefined();
  });

  it('a request to another origin is passed on as it is', async () => {
    const seen = vi.fn<HttpInterceptorFn>((request, next) => next(request));
    const given = vi.fn<HttpInterceptorFn>((request, next) => next(request));
    const [server, other] = [await echo(), await echo()];
    const http = await httpWith(
      given,
      sessionInterceptor(createSession(), { origins: [server.origin] }),
      seen,
    );
    await firstValueFrom(http.get(other.origin));
    expect(seen.mock.lastCall?.[0]).toBe(given.mock.lastCall?.[0]);
  });

  it('an Authorization of the caller is kept, and its 401 is returned', async () => {
    const server = await serveApi('SECRET-1');
    const refresh = renew();
    const { http } = await client(server.origin, { refresh });
    const headers = { AUTHORIZATION: 'Token abc' };
    const asking = firstValueFrom(http.get(server.origin, { headers }));
    expect(await failureOf(asking)).toMatchObject({ status: 401 });
    expect(server.received.map(({ authorization }) => authorization)).toEqual(['Token abc']);
    expect(refresh).not.toHaveBeenCalled();
  });

  it('a redirect is not followed, also when the caller says so', async () => {
    const other = await echo();
    const server = await serve((_request, response) => {
      response.writeHead(302, { location: `${other.origin}/stolen` }).end();
    });
    const { http } = await client(server.origin);
    for (const options of [{}, { redirect: 'follow' }, { redirect: 'error' }] as const) {
      expect(await failureOf(firstValueFrom(http.get(server.origin, options)))).toMatchObject({ status: 0 });
    }
    const manual = failureOf(firstValueFrom(http.get(server.origin, { redirect: 'manual' })));
    expect(await manual).toMatchObject({ status: 302 });
    expect(server.received).toHaveLength(4);
    expect(other.received).toHaveLength(0);
  });

  it('neither an answer nor an error shows it', async () => {
    const server = await serve((_request, response, index) => {
      response.writeHead(index === 0 ? 200 : 403).end();
    });
    const { http } = await client(server.origin);
    const answer = await firstValueFrom(http.get(server.origin, { observe: 'response' }));
    const error = await failureOf(firstValueFrom(http.get(server.origin)));
    expect(server.received.map(({ authorization }) => authorization)).toEqual(
      Array(2).fill('Bearer SECRET-1'),
    );
    expect(error).toBeInstanceOf(HttpErrorResponse);
    expect(inspect([answer, error], { depth: 9, showHidden: true })).not.toContain('SECRET');
  });

  it.each([[], ['http://api.example.com'], ['https://api.example.com/v1']])('%s throws', (...origins) => {
    expect(() => sessionInterceptor({} as Session, { origins })).toThrow(TypeError);
  });
});

describe('a 401', () => {
  it('costs one refresh for all requests, which are sent once more with their bodies', async () => {
    const server = await serveApi('SECRET-2');
    const refresh = renew();
    const { http } = await client(server.origin, { refresh });
    const form = new FormData();
    form.set('name', 'Ada');
    const bodies = [{ name: 'Ada' }, 'text', new URLSearchParams({ name: 'Ada' }), new Blob(['bytes']), form];
    const answers = bodies.map((body) =>
      lastValueFrom(http.post(server.origin, body, { responseType: 'text' })),
    );
    expect(await Promise.all(answers)).toEqual(bodies.map(() => 'hello'));
    expect(refresh).toHaveBeenCalledTimes(1);
    const accepted = server.received.filter(({ authorization }) => authorization === 'Bearer SECRET-2');
    const sent = accepted.map(({ body }) => body).sort();
    expect(sent).toEqual(
      ['bytes', 'name=Ada', 'text', '{"name":"Ada"}', expect.stringContaining('name="name"')].sort(),
    );
  });

  it('the second one is the error of HttpClient', async () => {
    const server = await serveApi('nothing');
    const refresh = renew();
    const { http } = await client(server.origin, { refresh });
    const error = await failureOf(firstValueFrom(http.get(server.origin, { responseType: 'text' })));
    expect(error).toBeInstanceOf(HttpErrorResponse);
    expect(error).toMatchObject({ status: 401, error: 'refused' });
    expect(refresh).toHaveBeenCalledTimes(1);
    expect(server.received).toHaveLength(2);
  });

  it('only that: another refusal, or no network, costs no refresh', async () => {
    const server = await serve((_request, response) => void response.writeHead(403).end());
    const refresh = renew();
    const { http } = await client(server.origin, { refresh });
    expect(await failureOf(firstValueFrom(http.get(server.origin)))).toMatchObject({ status: 403 });
    const { http: unreachable } = await client('http://127.0.0.1:1', { refresh });
    expect(await failureOf(firstValueFrom(unreachable.get('http://127.0.0.1:1')))).toMatchObject({
      status: 0,
    });
    expect(refresh).not.toHaveBeenCalled();
  });

  it('without a refresh, and one that ends the session, is the error of HttpClient', async () => {
    const server = await serveApi('nothing');
    const ended = { refresh: () => Promise.reject({ status: 401 }) };
    for (const options of [{}, ended]) {
      const { http } = await client(server.origin, options);
      expect(await failureOf(firstValueFrom(http.get(server.origin)))).toBeInstanceOf(HttpErrorResponse);
    }
  });

  it('a refresh that fails is what the caller hears', async () => {
    const server = await serveApi('SECRET-2');
    const cause = new Error('no network');
    const { http, session } = await client(server.origin, { refresh: () => Promise.reject(cause) });
    expect(await failureOf(firstValueFrom(http.get(server.origin)))).toBe(cause);
    expect(session.getSnapshot().status).toBe('signedIn');
  });

  withStore('a token whose time is over is renewed before', async () => {
    vi.useFakeTimers({ now: 1_000_000, toFake: ['Date'] });
    vault.records.set('default', { token: 'SECRET-1', expiresAt: 1_000_000 });
    const server = await serveApi('SECRET-2');
    const { http } = await client(server.origin, { refresh: renew() });
    expect(await firstValueFrom(http.get(server.origin, { responseType: 'text' }))).toBe('hello');
    expect(server.received).toHaveLength(1);
  });
});

describe('what HttpClient does stays', () => {
  it('its events', async () => {
    const server = await serve((_request, response) => void response.end('"bytes"'));
    const { http } = await client(server.origin);
    const events = await firstValueFrom(
      http.get(server.origin, { observe: 'events', reportProgress: true }).pipe(toArray()),
    );
    expect(events.map(({ type }) => type)).toEqual([
      HttpEventType.Sent,
      HttpEventType.ResponseHeader,
      HttpEventType.DownloadProgress,
      HttpEventType.Response,
    ]);
  });

  it('a later subscription sends again, with the token of then', async () => {
    const server = await serve((_request, response, index) => {
      response.writeHead(index === 0 ? 503 : 200).end('{}');
    });
    const session = createSession();
    const again: HttpInterceptorFn = (request, next) =>
      next(request).pipe(retry({ count: 1, delay: () => session.login({ token: 'SECRET-3' }) }));
    const http = await httpWith(again, sessionInterceptor(session, { origins: [server.origin] }));
    await firstValueFrom(http.get(server.origin));
    expect(server.received.map(({ authorization }) => authorization)).toEqual([
      'Bearer SECRET-1',
      'Bearer SECRET-3',
    ]);
  });

  it('whoever unsubscribes ends the request', async () => {
    const arrived = deferred<void>();
    const gone = deferred<void>();
    const server = await serve((_request, response) => {
      response.on('close', () => gone.resolve());
      arrived.resolve();
    });
    const { http } = await client(server.origin);
    const subscription = http.get(server.origin).subscribe();
    await arrived.promise;
    subscription.unsubscribe();
    await gone.promise;
  });

  withStore(
    'whoever unsubscribes while the session is not ready, or is refreshed, sends nothing more',
    async () => {
      const server = await serveApi('SECRET-2');
      const answer = vault.hold('get_token');
      const refreshing = deferred<void>();
      const next = deferred<{ token: string }>();
      const session = createSession({
        refresh: () => {
          refreshing.resolve();
          return next.promise;
        },
      });
      const sent = vi.fn<HttpInterceptorFn>((request, handle) => handle(request));
      const http = await httpWith(sessionInterceptor(session, { origins: [server.origin] }), sent);
      http.get(server.origin).subscribe().unsubscribe();
      answer();
      await session.ready();
      await settle();
      expect(sent).not.toHaveBeenCalled();

      const subscription = http.get(server.origin).subscribe();
      await refreshing.promise;
      subscription.unsubscribe();
      next.resolve({ token: 'SECRET-2' });
      await session.refresh('SECRET-1');
      await settle();
      expect(sent).toHaveBeenCalledTimes(1);
    },
  );
});

testRefusals({
  async connect(session, options) {
    const http = await httpWith(sessionInterceptor(session, options));
    return async (url, body) => {
      const text = { observe: 'response', responseType: 'text' } as const;
      const asking = body ? http.post(url, body, text) : http.get(url, text);
      return firstValueFrom(asking).catch((error: unknown) => {
        if (error instanceof HttpErrorResponse) return error;
        throw error;
      });
    };
  },
});

it('a refusal is seen by the app with its body and its address', async () => {
  const server = await serve(({ authorization }, response) => {
    const isNew = authorization === 'Bearer SECRET-2';
    response.writeHead(isNew ? 200 : 403).end(JSON.stringify(isNew ? {} : { code: 'token_expired' }));
  });
  const expired = ({ error, url }: HttpErrorResponse) =>
    error.code === 'token_expired' && !url?.endsWith('/password');
  const session = createSession({ refresh: renew() });
  const http = await httpWith(sessionInterceptor(session, { origins: [server.origin], expired }));
  const password = failureOf(firstValueFrom(http.post(`${server.origin}/password`, {})));
  expect(await password).toMatchObject({ status: 403 });
  expect(await firstValueFrom(http.get(server.origin))).toEqual({});
  expect(server.received).toHaveLength(3);
});

it('A11 the session is told that the server took the token before', async () => {
  let accepted = 'SECRET-1';
  const server = await serve(({ authorization }, response) => {
    response.writeHead(authorization === `Bearer ${accepted}` ? 200 : 401).end('"hello"');
  });
  const session = createSession({ refresh: renew() });
  const refreshed = vi.fn(session.refresh);
  const expired = vi.fn(({ status }: HttpErrorResponse) => status === 401);
  const observed = { ...session, refresh: refreshed };
  const http = await httpWith(sessionInterceptor(observed, { origins: [server.origin], expired }));
  expect(await firstValueFrom(http.get(server.origin))).toBe('hello');
  expect(expired).not.toHaveBeenCalled();
  accepted = 'SECRET-2';
  expect(await firstValueFrom(http.get(server.origin))).toBe('hello');
  expect(expired).toHaveBeenCalledTimes(1);
  expect(refreshed.mock.calls).toEqual([['SECRET-1', { accepted: true }]]);
});
