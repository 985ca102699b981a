// What a rejected refresh means, with real servers and what each client library rejects with.

import '@angular/compiler';
import { HttpClient, provideHttpClient, withFetch, withNoXsrfProtection } from '@angular/common/http';
import { createApplication } from '@angular/platform-browser';
import { Window } from 'happy-dom';
import ky from 'ky';
import { ofetch } from 'ofetch';
import createClient from 'openapi-fetch';
import { firstValueFrom } from 'rxjs';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { SessionEnded } from '../../ipc/errors.js';
import { isRefused } from '../../session/refusal.js';
import type { IsRefused, SessionOptions } from '../../session/session.js';
import { testProviders } from '../bindings/angular-app.js';
import { until } from '../support/helpers.js';
import { keyStore, signedInPage } from '../support/project.js';
import { serve } from '../support/servers.js';
import { judge, judges } from './refusal-cases.js';

const post = { method: 'POST', body: '{"refreshToken":"r1"}' };
/** A library that rejects by status takes the 200 of GitHub for a success. */
const isOk = (name: string) => name === 'GitHub';

describe('a Response that is thrown as it is', () => {
  judges(async (url) => {
    throw await fetch(url, post);
  });

  it('can still be read by whoever gets it as the cause', async () => {
    const response = new Response('{"error":"server_error"}', { status: 500 });
    await judge(response);
    expect(await response.json()).toEqual({ error: 'server_error' });
  });

  it('P6 whose body never ends: judged by what has arrived', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    let asked = false;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (!asked) controller.enqueue(new TextEncoder().encode('<html>'));
        asked = true;
        return new Promise(() => {});
      },
    });
    const verdict = judge(new Response(body, { status: 403 }));
    await vi.advanceTimersByTimeAsync(3000);
    expect(await verdict).toEqual({ failed: true, status: 403 });
  });

  it('P6 with an endless body: 64 KiB are read', async () => {
    let chunks = 0;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        chunks++;
        controller.enqueue(new Uint8Array(8192).fill(32));
      },
    });
    expect(await isRefused(new Response(body, { status: 401 }))).toBe(true);
    expect(chunks).toBeLessThan(12);
  });

  it('with a body that breaks off, or that was read before: judged by the rest', async () => {
    const { origin } = await serve((_request, response) => {
      response.writeHead(403, { 'content-type': 'text/html', 'content-length': '9999' }).write('<html>');
      setTimeout(() => response.destroy(), 5);
    });
    expect(await isRefused(await fetch(origin))).toBe(false);
    const read = new Response('x', { status: 401 });
    await read.text();
    expect(await isRefused(read)).toBe(true);
  });
});

describe('an error with the response', () => {
  judges(async (url) => {
    const response = await fetch(url, post);
    throw Object.assign(new Error('refresh failed'), { response });
  });
});

describe('an error that was caused by the response', () => {
  judges(async (url) => {
    throw new Error('refresh failed', { cause: await fetch(url, post) });
  });
});

describe('ky', () => {
  judges(
    (url) => ky.post(url, { json: {}, retry: 0 }),
    // It reads the body itself, and drops what is no JSON although the server calls it so.
    (name) => isOk(name) || name === 'a page with the wrong type',
  );
});

describe('ofetch', () => judges((url) => ofetch(url, { method: 'POST', body: {}, retry: 0 }), isOk));

describe('openapi-fetch', () => {
  judges(async (url) => {
    const { error, response } = await createClient<Record<string, never>>().POST(url as never);
    throw { error, response };
  }, isOk);
});

describe("Angular's HttpClient", () => {
  let http: HttpClient;

  beforeAll(async () => {
    // An application wants a document. Everything else is Node's, fetch above all.
    Object.assign(globalThis, { document: new Window().document });
    vi.spyOn(console, 'log').mockImplementation(() => {});
    const providers = [...testProviders, provideHttpClient(withFetch(), withNoXsrfProtection())];
    const app = await createApplication({ providers });
    http = app.injector.get(HttpClient);
    return () => app.destroy();
  });

  judges((url) => firstValueFrom(http.post(url, {})), isOk);
});

describe('what an app makes of it', () => {
  it.each<[string, unknown]>([
    ['SessionEnded', new SessionEnded()],
    ['that of another copy of the package', Object.assign(new Error(), { name: 'SessionEnded' })],
    ['the parsed body', { error: 'invalid_grant' }],
    ['the parsed body of NestJS', { statusCode: 401, message: 'Unauthorized' }],
    ['the parsed body of Firebase', { error: { message: 'USER_DISABLED' } }],
    ['the text of the body', '{"error":"invalid_grant"}'],
    ['an error with that text', new Error('{"error":"invalid_grant"}')],
    ['an error with that text and more', new Error('POST /token: 400 {"error":"invalid_grant"}')],
    ['an error of an OAuth library', Object.assign(new Error(), { error: 'invalid_grant', status: 400 })],
    [
      'an error of Supabase',
      Object.assign(new Error(), { status: 400, code: 'refresh_token_already_used', name: 'AuthApiError' }),
    ],
    ['an error of superagent', { status: 400, response: { body: { error: 'invalid_grant' }, status: 400 } }],
    ['only a status', { status: 401 }],
    ['an error in an error', new Error('a', { cause: new Error('b', { cause: { status: 403 } }) })],
  ])('%s ends the session', async (_name, cause) => {
    expect(await judge(cause)).toEqual({ ended: true });
  });

  const ring: { cause?: unknown } = {};
  ring.cause = ring;

  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['null', null],
    ['a number', 401],
    ['a text', 'refresh failed'],
    ['an error that hides the status', new Error('/refresh answered 401')],
    ['an abort', new DOMException('aborted', 'AbortError')],
    ['a network error', new TypeError('Failed to fetch')],
    ['a wrong client', { error: 'invalid_client', status: 401 }],
    ['a status of another kind', { status: '401' }],
    ['a ring of causes', ring],
  ])('%s does not', async (_name, cause) => {
    expect(await judge(cause)).toMatchObject({ failed: true });
  });

  it.each([0, -1, 401.5, 4010, Number.NaN])('the status %d is none', async (status) => {
    expect(await judge({ status })).toEqual({ failed: true });
  });

  it('Retry-After is a whole number of milliseconds, wherever it is', async () => {
    const response = new Response('', { status: 503, headers: { 'retry-after': '0.0001' } });
    expect(await judge(new Error('failed', { cause: response }))).toMatchObject({ retryAfter: 1 });
    expect(await judge({ status: 429, retryAfter: 60 })).toMatchObject({ retryAfter: 60_000, status: 429 });
  });
});

describe('the rule of an app', () => {
  it('decides, and may ask the usual one', async () => {
    const isGone: IsRefused = (cause, usual) => Object(cause).status === 410 || usual(cause);
    expect(await judge({ status: 410 }, isGone)).toEqual({ ended: true });
    expect(await judge({ status: 401 }, isGone)).toEqual({ ended: true });
    expect(await judge({ status: 404 }, isGone)).toMatchObject({ failed: true });
    expect(await judge({ status: 401 }, () => false)).toEqual({ failed: true, status: 401 });
  });

  it('does not stop SessionEnded', async () => {
    expect(await judge(new SessionEnded(), () => false)).toEqual({ ended: true });
  });

  const bug = new Error('a bug of the app');
  it.each<[string, IsRefused]>([
    [
      'throws',
      () => {
        throw bug;
      },
    ],
    ['rejects', () => Promise.reject(bug)],
  ])('that %s ends nothing, and is reported', async (_, rule) => {
    const report = vi.fn();
    const cause = { status: 401, retryAfter: 60 };
    expect(await judge(cause, rule, report)).toEqual({ failed: true, status: 401, retryAfter: 60_000 });
    expect(report.mock.calls).toEqual([[bug]]);
  });

  it('P6 that never settles ends nothing, and is reported before the lease ends', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const report = vi.fn();
    const verdict = judge({ status: 401 }, () => new Promise(() => {}), report);
    await vi.advanceTimersByTimeAsync(4000);
    expect(await verdict).toEqual({ failed: true, status: 401 });
    expect(report.mock.calls).toEqual([[expect.objectContaining({ code: 'timeout' })]]);
  });
});

describe('a session', () => {
  const sessionWith = async (options: SessionOptions) => {
    const { createSession, vault } = await signedInPage({ token: 't1', refreshToken: 'r1' });
    const session = createSession(options);
    await session.ready();
    return { session, vault };
  };
  const response = (status: number, body: string, type = 'application/json') =>
    new Response(body, { status, headers: { 'content-type': type } });

  it('A9 whose refresh is refused as RFC 6749 says, by a Response that is thrown as it is, ends', async () => {
    const onSignedOut = vi.fn();
    const { session, vault } = await sessionWith({
      refresh: () => Promise.reject(response(400, '{"error":"invalid_grant"}')),
      onSignedOut,
    });
    expect(await session.refresh('t1')).toBeUndefined();
    expect(session.getSnapshot().status).toBe('signedOut');
    expect(onSignedOut.mock.calls).toEqual([['refused']]);
    if (keyStore) await until(() => expect(vault.records.has('default')).toBe(false));
  });

  it.each([
    ['the page of a firewall', response(403, '<html>', 'text/html')],
    ['a wrong client', response(401, '{"error":"invalid_client"}')],
  ])('A10 that meets %s stays', async (_, refused) => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const { session, vault } = await sessionWith({ refresh: () => Promise.reject(refused) });
    await expect(session.refresh('t1')).rejects.toBe(refused);
    expect(session.getSnapshot()).toMatchObject({ status: 'signedIn' });
    expect(session.retryAt()).toBeGreaterThan(Date.now());
    if (keyStore) expect(vault.records.get('default')).toEqual({ token: 't1', refreshToken: 'r1' });
    // It says what the server said, so there is nothing to hint at.
    expect(warn.mock.calls.flat().join()).not.toContain('no status');
  });

  it('gives no hint about an error that was caused by a response', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const cause = response(500, '');
    const { session } = await sessionWith({ refresh: () => Promise.reject(new Error('failed', { cause })) });
    await expect(session.refresh('t1')).rejects.toThrow('failed');
    expect(warn.mock.calls.flat().join()).not.toContain('no status');
  });

  it('asks the rule of the app, and reports what is wrong with it', async () => {
    const bug = new Error('a bug of the app');
    const onError = vi.fn();
    const isRefused = vi.fn<IsRefused>(() => {
      throw bug;
    });
    const refresh = vi.fn(() => Promise.reject({ status: 410 }));
    const { session } = await sessionWith({ refresh, isRefused, onError });
    await expect(session.refresh()).rejects.toEqual({ status: 410 });
    expect(onError.mock.calls).toContainEqual([bug]);
    isRefused.mockImplementation((cause) => Object(cause).status === 410);
    expect(await session.refresh()).toBeUndefined();
    expect(session.getSnapshot().status).toBe('signedOut');
  });
});
