// The fetch of a native session as the Fetch standard has it, with a stand-in for the commands of Rust and a real server. The
// cases are those of web-platform-tests, fetch/api, that a page can see; the names of the groups are its folders.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { AuthFetch } from '../../requests/fetch.js';
import { FakeVault, rejection } from '../support/fake-vault.js';
import { settle, until } from '../support/helpers.js';
import { NativeSide } from '../support/native-side.js';

const MIB = 1 << 20;

let origin: string;
let received: { method: string; path: string; headers: IncomingMessage['headers']; body: string }[];
let side: NativeSide;
let fetch: AuthFetch;

/** What the server does by path. Anything else says what it was sent. */
const routes: Record<string, (response: ServerResponse, request: IncomingMessage) => void> = {
  '/hello': (response) => response.end('hello'),
  '/empty': (response) => response.end(),
  '/hang': () => {},
  '/head': (response) => void response.writeHead(200, { 'content-length': '5' }).flushHeaders(),
  '/slow': (response) => {
    response.write('the beginning');
    setTimeout(() => response.end(' and the end'), 100);
  },
  '/endless': (response) => {
    const write = () => {
      while (!response.destroyed && response.write(Buffer.alloc(64 * 1024, 'x')));
    };
    response.on('drain', write);
    write();
  },
  '/cut': (response) => {
    response.writeHead(200, { 'content-length': '100' });
    response.write('the beginning');
    setTimeout(() => response.destroy(), 30);
  },
  '/3mib': (response) => response.end(Buffer.alloc(3 * MIB, 'y')),
  '/sse': (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write('data: one\n\n');
  },
  '/headers': (response) =>
    response
      .writeHead(200, 'Quite Fine', {
        'x-custom': ['a', 'b'],
        'content-type': 'text/plain',
        'set-cookie': 'a=b',
      })
      .end('x'),
};

beforeEach(async () => {
  received = [];
  const server = createServer(async (request, response) => {
    const { method = '', url = '', headers } = request;
    const status = Number(/^\/status\/(\d+)/.exec(url)?.[1]);
    const to = /^\/redirect\/(\d+)\/(.*)$/.exec(url);
    const isLong = url === '/unread';
    const body = isLong ? '' : await text(request);
    received.push({ method, path: url, headers, body });
    if (status)
      response
        .writeHead(status, `Status ${status}`)
        .end(status === 204 || status === 304 ? undefined : 'body');
    else if (to) response.writeHead(Number(to[1]), { location: decodeURIComponent(to[2] ?? '') }).end();
    else if (url in routes) routes[url]?.(response, request);
    else response.end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  vi.resetModules();
  const { createNativeSession } = await import('../../requests/native.js');
  const vault = new FakeVault({ default: { token: 'SECRET-1', refreshToken: 'SECRET-r1' } });
  side = new NativeSide(vault, { origins: [origin] });
  ({ fetch } = createNativeSession());
  vi.spyOn(console, 'warn').mockImplementation(() => {});
});

const failureOf = (work: Promise<unknown>) =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  );

const calls = (command: string) => side.calls.filter((call) => call.command === command);
const headOf = (index = 0) => calls('native_fetch')[index]?.head as Record<string, unknown>;

const streamOf = (...chunks: (string | Uint8Array)[]) =>
  new ReadableStream({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(typeof chunk === 'string' ? Buffer.from(chunk) : chunk);
      controller.close();
    },
  });

describe('request', () => {
  it.each([
    ['a text', () => `${origin}/hello?a=1`],
    ['a URL', () => new URL('/hello?a=1', origin)],
    ['a Request', () => new Request(`${origin}/hello?a=1`)],
  ])('is given as %s', async (_, input) => {
    const response = await fetch(input());
    expect(received).toMatchObject([{ method: 'GET', path: '/hello?a=1' }]);
    expect(response.url).toBe(`${origin}/hello?a=1`);
  });

  it('keeps its fragment in the page', async () => {
    await fetch(`${origin}/hello#secret`);
    expect(headOf().url).toBe(`${origin}/hello`);
  });

  it.each([
    ['get', 'GET'],
    ['pOsT', 'POST'],
    ['delete', 'DELETE'],
    ['Options', 'OPTIONS'],
    ['put', 'PUT'],
    ['patch', 'patch'],
    ['chicken', 'chicken'],
  ])('the method %s is sent as %s', async (method, sent) => {
    await failureOf(fetch(`${origin}/hello`, { method }));
    expect(headOf().method).toBe(sent);
  });

  it.each<[string, () => [RequestInfo, RequestInit?]]>([
    ['a forbidden method', () => [origin, { method: 'TRACE' }]],
    ['another one', () => [origin, { method: 'connect' }]],
    ['a method that is none', () => [origin, { method: 'a b' }]],
    ['an address that is none', () => ['http://[']],
    ['credentials in the address', () => ['https://user:SECRET@api.example.com/']],
    ['a GET with a body', () => [origin, { body: 'a' }]],
    ['a HEAD with a body', () => [origin, { method: 'HEAD', body: 'a' }]],
    ['a GET with a stream', () => [origin, { body: streamOf('a'), duplex: 'half' } as RequestInit]],
    ['a redirect mode that is none', () => [origin, { redirect: 'maybe' as 'follow' }]],
    ['a mode that is none', () => [origin, { mode: 'maybe' as 'cors' }]],
    ['a signal that is none', () => [origin, { signal: {} as AbortSignal }]],
    ['a header name that is none', () => [origin, { headers: { 'a b': '1' } }]],
    ['a line break in a header', () => [origin, { headers: { a: '1\r\nb: 2' } }]],
    ['a header beyond Latin-1', () => [origin, { headers: { a: '\u{1F600}' } }]],
    ['a digest, which nobody would check', () => [origin, { integrity: 'sha256-abc' }]],
    [
      'a Request whose body was read',
      () => {
        const request = new Request(origin, { method: 'POST', body: 'a' });
        void request.text();
        return [request];
      },
    ],
    [
      'a stream that somebody reads',
      () => {
        const body = streamOf('a');
        body.getReader();
        return [origin, { method: 'POST', body, duplex: 'half' } as RequestInit];
      },
    ],
  ])('%s rejects with a TypeError, and nothing is sent', async (_, args) => {
    expect(await failureOf(fetch(...args()))).toBeInstanceOf(TypeError);
    expect(side.calls).toEqual([]);
  });

  it('uses up the body of a Request at once, also one that is aborted', async () => {
    const one = new Request(origin, { method: 'POST', body: 'a' });
    const sending = fetch(one);
    expect(one.bodyUsed).toBe(true);
    await sending;
    const two = new Request(origin, { method: 'POST', body: 'a' });
    expect(await failureOf(fetch(two, { signal: AbortSignal.abort() }))).toMatchObject({
      name: 'AbortError',
    });
    expect(two.bodyUsed).toBe(true);
  });

  it('takes what init says instead of what a Request says', async () => {
    const request = new Request(`${origin}/x`, { method: 'POST', body: 'a', headers: { 'x-a': '1' } });
    await fetch(request, { method: 'PUT', body: 'b', headers: { 'x-b': '2' } });
    expect(received).toMatchObject([{ method: 'PUT', body: 'b', headers: { 'x-b': '2' } }]);
    expect(received[0]?.headers).not.toHaveProperty('x-a');
  });

  it('is as it was when fetch was called', async () => {
    const headers = new Headers({ 'x-a': '1' });
    const bytes = new TextEncoder().encode('before');
    const init = { method: 'POST', headers, body: bytes };
    const sending = fetch(`${origin}/x`, init);
    headers.set('x-a', '2');
    bytes.fill(0);
    init.method = 'PUT';
    await sending;
    expect(received).toMatchObject([{ method: 'POST', body: 'before', headers: { 'x-a': '1' } }]);
  });

  it.each(['follow', 'error', 'manual'] as const)('redirect: %s reaches Rust', async (redirect) => {
    await fetch(new Request(`${origin}/hello`, { redirect }));
    expect(headOf().redirect).toBe(redirect);
  });

  it('`repeat: false` reaches Rust, and nothing is said of it otherwise', async () => {
    await fetch(`${origin}/hello`, { repeat: false });
    await fetch(`${origin}/hello`);
    expect(headOf(0).repeat).toBe(false);
    expect(headOf(1)).not.toHaveProperty('repeat');
  });
});

describe('headers', () => {
  it('are sent, several of a name as one', async () => {
    const headers = new Headers({ 'X-One': '1' });
    headers.append('x-two', 'a');
    headers.append('x-two', 'b');
    await fetch(`${origin}/hello`, { headers });
    expect(received[0]?.headers).toMatchObject({ 'x-one': '1', 'x-two': 'a, b' });
  });

  it.each([
    'Accept-Charset',
    'accept-encoding',
    'Access-Control-Request-Headers',
    'access-control-request-method',
    'CONNECTION',
    'content-length',
    'Cookie',
    'cookie2',
    'Date',
    'dnt',
    'Expect',
    'Host',
    'keep-alive',
    'Origin',
    'REFERER',
    'set-cookie',
    'TE',
    'Trailer',
    'transfer-encoding',
    'Upgrade',
    'Via',
    'Proxy-Authorization',
    'proxy-',
    'Sec-Fetch-Mode',
    'sec-',
  ])('%s is left out, as by the guard of a Request', async (name) => {
    await fetch(`${origin}/hello`, { headers: { [name]: '1', 'x-kept': '1' } });
    expect((headOf().headers as [string, string][]).map(([sent]) => sent)).toEqual(['x-kept']);
  });

  it('an Authorization of the page is refused by Rust', async () => {
    const error = await failureOf(fetch(`${origin}/hello`, { headers: { AUTHORIZATION: 'Bearer mine' } }));
    expect(error).toBeInstanceOf(TypeError);
    expect(error).toMatchObject({ cause: { name: 'SecureTokenError', code: 'forbidden' } });
    expect(received).toEqual([]);
  });

  it('of the response are there, without cookies, and cannot be changed', async () => {
    const { headers } = await fetch(`${origin}/headers`);
    expect(headers.get('X-Custom')).toBe('a, b');
    expect(headers.has('set-cookie')).toBe(false);
    expect(() => headers.append('a', 'b')).toThrow(TypeError);
    expect(() => headers.set('a', 'b')).toThrow(TypeError);
    expect(() => headers.delete('x-custom')).toThrow(TypeError);
  });
});

describe('body', () => {
  const form = () => {
    const data = new FormData();
    data.append('field', 'väl\r\nue');
    data.append('file', new Blob(['content'], { type: 'text/x-own' }), 'a "name".txt');
    return data;
  };

  it.each<[string, () => BodyInit, string | RegExp, string | undefined]>([
    ['a text', () => 'tèxt', 'tèxt', 'text/plain;charset=UTF-8'],
    ['an empty text', () => '', '', 'text/plain;charset=UTF-8'],
    [
      'URLSearchParams',
      () => new URLSearchParams({ a: 'b c' }),
      'a=b+c',
      'application/x-www-form-urlencoded;charset=UTF-8',
    ],
    ['a Blob', () => new Blob(['in ', 'parts'], { type: 'text/x-own' }), 'in parts', 'text/x-own'],
    ['a Blob without a type', () => new Blob(['a']), 'a', undefined],
    ['an ArrayBuffer', () => new TextEncoder().encode('bytes').buffer, 'bytes', undefined],
    ['a Uint8Array of a part', () => new TextEncoder().encode('not this').subarray(4), 'this', undefined],
    ['a DataView', () => new DataView(new TextEncoder().encode('not this').buffer, 4), 'this', undefined],
    ['a stream', () => streamOf('from ', 'a ', 'stream'), 'from a stream', undefined],
  ])('%s is sent with its type', async (_, body, sent, type) => {
    await fetch(`${origin}/x`, { method: 'POST', body: body() });
    expect(received).toMatchObject([{ body: sent }]);
    expect(received[0]?.headers['content-type']).toBe(type);
  });

  it('a form is sent with the boundary that its type names', async () => {
    await fetch(`${origin}/x`, { method: 'POST', body: form() });
    const [{ headers, body } = { headers: {}, body: '' }] = received;
    const sent = await new Response(body, {
      headers: { 'content-type': `${headers['content-type']}` },
    }).formData();
    expect(sent.get('field')).toBe('väl\r\nue');
    const file = sent.get('file') as File;
    expect([file.type, await file.text()]).toEqual(['text/x-own', 'content']);
  });

  it('keeps the type that the page gives it', async () => {
    const headers = { 'content-type': 'application/json' };
    await fetch(`${origin}/x`, { method: 'POST', headers, body: '{}' });
    await fetch(`${origin}/x`, { method: 'POST', headers, body: new Blob(['{}'], { type: 'text/plain' }) });
    await fetch(`${origin}/x`, { method: 'POST', headers, body: streamOf('{}') });
    expect(received.map((request) => request.headers['content-type'])).toEqual(
      Array(3).fill('application/json'),
    );
  });

  it.each<[string, (size: number) => BodyInit]>([
    ['a text', (size) => 'z'.repeat(size)],
    ['bytes', (size) => new Uint8Array(size).fill(122)],
    ['a Blob', (size) => new Blob(['z'.repeat(size)])],
  ])('%s of 1 MiB goes along, and a longer one in pieces with its length', async (_, body) => {
    await fetch(`${origin}/x`, { method: 'POST', body: body(MIB) });
    expect(headOf()).toMatchObject({ body: 'whole' });
    expect(calls('native_write')).toEqual([]);
    await fetch(`${origin}/x`, { method: 'POST', body: body(2 * MIB + 5) });
    expect(headOf(1)).toMatchObject({ body: 'stream', length: 2 * MIB + 5 });
    expect(calls('native_write').map(({ size, head }) => [size, head.end])).toEqual([
      [MIB, false],
      [MIB, false],
      [5, true],
    ]);
    expect(received.map((request) => request.body.length)).toEqual([MIB, 2 * MIB + 5]);
    expect(received[1]?.body).toMatch(/^z+$/);
  });

  it('a long chunk of a stream is cut, and the pieces are in order', async () => {
    const long = Buffer.concat([Buffer.alloc(MIB, 'a'), Buffer.alloc(MIB, 'b'), Buffer.from('c')]);
    await fetch(`${origin}/x`, { method: 'POST', body: streamOf('<', long, '>') });
    expect(headOf()).toMatchObject({ body: 'stream' });
    expect(headOf()).not.toHaveProperty('length');
    expect(calls('native_write').map(({ size }) => size)).toEqual([1, MIB, MIB, 1, 1, 0]);
    expect(received[0]?.body).toBe(`<${long}>`);
  });

  it('a stream is read only as fast as it is sent', async () => {
    let pulled = 0;
    const body = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          pulled++;
          if (pulled === 200) controller.close();
          else controller.enqueue(new Uint8Array(MIB));
        },
      },
      { highWaterMark: 0 },
    );
    const stop = new AbortController();
    const sending = failureOf(fetch(`${origin}/unread`, { method: 'POST', body, signal: stop.signal }));
    await until(() => expect(pulled).toBeGreaterThan(0));
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(pulled).toBeLessThan(100);
    stop.abort();
    await sending;
  });

  it('a stream that fails ends the request', async () => {
    const fault = new Error('the disk is gone');
    const body = new ReadableStream({
      pull: (controller) => controller.error(fault),
    });
    const error = await failureOf(fetch(`${origin}/x`, { method: 'POST', body }));
    expect(error).toBeInstanceOf(TypeError);
    expect(error).toMatchObject({ cause: fault });
    await until(() => expect(side.running.size).toBe(0));
  });

  it('a chunk that is no bytes ends the request, and the stream', async () => {
    const cancel = vi.fn();
    const body = new ReadableStream({ start: (controller) => controller.enqueue('a text'), cancel });
    expect(await failureOf(fetch(`${origin}/x`, { method: 'POST', body }))).toBeInstanceOf(TypeError);
    expect(cancel).toHaveBeenCalledTimes(1);
  });

  it('none is no body', async () => {
    await fetch(`${origin}/x`, { method: 'POST' });
    await fetch(`${origin}/x`, { method: 'POST', body: null });
    expect([headOf(0).body, headOf(1).body]).toEqual(['none', 'none']);
  });
});

describe('response', () => {
  it('has what the server said', async () => {
    const response = await fetch(`${origin}/headers`);
    expect(response).toBeInstanceOf(Response);
    const { status, statusText, ok, type, redirected, bodyUsed } = response;
    expect({ status, statusText, ok, type, redirected, bodyUsed }).toEqual({
      status: 200,
      statusText: 'Quite Fine',
      ok: true,
      type: 'default',
      redirected: false,
      bodyUsed: false,
    });
  });

  it.each([201, 400, 401, 403, 404, 418, 500, 599])('a status of %i resolves', async (status) => {
    const response = await fetch(`${origin}/status/${status}`);
    expect([response.status, response.ok, response.statusText]).toEqual([
      status,
      status < 300,
      `Status ${status}`,
    ]);
    expect(await response.text()).toBe('body');
  });

  it('a status that no constructor takes resolves', async () => {
    const response = await fetch(`${origin}/status/999`);
    expect([response.status, response.ok, response.statusText]).toEqual([999, false, 'Status 999']);
    expect([response.clone().status, await response.text()]).toEqual([999, 'body']);
  });

  it.each([
    ['204', 'GET', '/status/204'],
    ['304', 'GET', '/status/304'],
    ['HEAD', 'HEAD', '/hello'],
  ])('%s has no body', async (_, method, path) => {
    const response = await fetch(origin + path, { method });
    expect(response.body).toBeNull();
    expect(await response.text()).toBe('');
    expect(side.running.size).toBe(0);
  });

  it('an empty body is one', async () => {
    const { body } = await fetch(`${origin}/empty`);
    expect(await body?.getReader().read()).toEqual({ done: true, value: undefined });
  });

  it.each<[keyof Body, unknown]>([
    ['text', 'hello'],
    ['arrayBuffer', new TextEncoder().encode('hello').buffer],
    ['blob', expect.any(Blob)],
  ])('%s reads it, once', async (method, value) => {
    const response = await fetch(`${origin}/hello`);
    expect(await (response[method] as () => Promise<unknown>)()).toEqual(value);
    expect(response.bodyUsed).toBe(true);
    expect(await failureOf(response.text())).toBeInstanceOf(TypeError);
  });

  it('a clone has all of it, and its own body', async () => {
    const response = await fetch(`${origin}/hello`);
    const clone = response.clone();
    const again = clone.clone();
    for (const { url, type, redirected, status } of [response, clone, again])
      expect([url, type, redirected, status]).toEqual([`${origin}/hello`, 'default', false, 200]);
    expect(() => clone.headers.set('a', 'b')).toThrow(TypeError);
    expect(await Promise.all([response, clone, again].map((each) => each.text()))).toEqual(
      Array(3).fill('hello'),
    );
  });

  it('one whose body was read cannot be cloned', async () => {
    const response = await fetch(`${origin}/hello`);
    await response.text();
    expect(() => response.clone()).toThrow(TypeError);
  });

  it('is made into another Response as the page likes', async () => {
    const response = await fetch(`${origin}/hello`);
    const other = new Response(response.body, response);
    other.headers.set('x-own', '1');
    expect([other.status, await other.text()]).toEqual([200, 'hello']);
  });

  it('a long body comes in pieces of bytes whose buffer is their own', async () => {
    const response = await fetch(`${origin}/3mib`);
    const reader = response.body?.getReader();
    let length = 0;
    for (let next = await reader?.read(); next && !next.done; next = await reader?.read()) {
      expect(next.value).toBeInstanceOf(Uint8Array);
      expect(next.value.buffer.byteLength).toBe(next.value.length);
      expect(next.value.length).toBeLessThanOrEqual(MIB);
      length += next.value.length;
    }
    expect(length).toBe(3 * MIB);
    expect(side.running.size).toBe(0);
  });

  it('nothing is read before the page reads', async () => {
    side.firstBytes = 0;
    const response = await fetch(`${origin}/endless`);
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(calls('native_read')).toHaveLength(0);
    const reader = response.body?.getReader();
    await reader?.read();
    await reader?.read();
    await settle();
    expect(calls('native_read')).toHaveLength(2);
    await reader?.cancel();
    await until(() => expect(side.running.size).toBe(0));
    expect(calls('native_abort')).toHaveLength(1);
  });

  it('arrives before its body has ended, event by event', async () => {
    const response = await fetch(`${origin}/sse`);
    const reader = response.body?.getReader();
    expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe('data: one\n\n');
    const next = reader?.read();
    await reader?.cancel();
    expect(await next).toMatchObject({ done: true });
  });

  it('that ends early fails with a TypeError where it is read', async () => {
    const response = await fetch(`${origin}/cut`);
    expect(response.status).toBe(200);
    const error = await failureOf(response.text());
    expect(error).toBeInstanceOf(TypeError);
    expect(error).toMatchObject({ cause: { code: 'unavailable' } });
    expect(side.running.size).toBe(0);
  });

  it('the cancellation of both branches of a clone ends it', async () => {
    const response = await fetch(`${origin}/endless`);
    const clone = response.clone();
    await Promise.all([response.body?.cancel(), clone.body?.cancel()]);
    await until(() => expect(side.running.size).toBe(0));
  });
});

describe('redirect', () => {
  const to = (status: number, path: string) => `${origin}/redirect/${status}/${encodeURIComponent(path)}`;

  it.each([301, 302, 303, 307, 308])('%i is followed, and the response says so', async (status) => {
    const response = await fetch(to(status, '/hello'));
    expect([response.redirected, response.url, await response.text()]).toEqual([
      true,
      `${origin}/hello`,
      'hello',
    ]);
  });

  it.each([
    [301, 'GET', ''],
    [302, 'GET', ''],
    [303, 'GET', ''],
    [307, 'POST', 'a'],
    [308, 'POST', 'a'],
  ])('%i of a POST goes on as %s', async (status, method, body) => {
    await fetch(to(status, '/x'), { method: 'POST', body: 'a' });
    expect(received[1]).toMatchObject({ method, body, path: '/x' });
  });

  it.each([301, 307])('%i with redirect: error rejects with a TypeError', async (status) => {
    expect(await failureOf(fetch(to(status, '/hello'), { redirect: 'error' }))).toBeInstanceOf(TypeError);
    expect(received).toHaveLength(1);
  });

  it.each([301, 302, 303, 307, 308])('%i with redirect: manual is opaque', async (status) => {
    const response = await fetch(to(status, '/hello'), { redirect: 'manual' });
    const { type, ok, statusText, redirected, url, body } = response;
    expect({ type, status: response.status, ok, statusText, redirected, url, body }).toEqual({
      type: 'opaqueredirect',
      status: 0,
      ok: false,
      statusText: '',
      redirected: false,
      url: to(status, '/hello'),
      body: null,
    });
    expect([...response.headers]).toEqual([]);
    expect(response.clone().type).toBe('opaqueredirect');
  });

  it('to where the capability does not allow it rejects', async () => {
    const error = await failureOf(fetch(to(302, 'http://127.0.0.1:9/x')));
    expect(error).toBeInstanceOf(TypeError);
    expect(error).toMatchObject({ cause: { code: 'forbidden' } });
  });

  it('to what is no address of a server rejects with a TypeError', async () => {
    expect(await failureOf(fetch(to(302, 'data:text/plain,a')))).toBeInstanceOf(TypeError);
    expect(await failureOf(fetch('data:text/plain,a'))).toBeInstanceOf(TypeError);
  });

  it('without an end rejects with a TypeError', async () => {
    routes['/loop'] = (response) => response.writeHead(302, { location: '/loop' }).end();
    expect(await failureOf(fetch(`${origin}/loop`))).toBeInstanceOf(TypeError);
  });
});

describe('abort', () => {
  const reason = new Error('left the page');

  it('before: nothing is sent', async () => {
    expect(await failureOf(fetch(origin, { signal: AbortSignal.abort() }))).toMatchObject({
      name: 'AbortError',
    });
    expect(await failureOf(fetch(origin, { signal: AbortSignal.abort(reason) }))).toBe(reason);
    const request = new Request(origin, { signal: AbortSignal.abort(reason) });
    expect(await failureOf(fetch(request))).toBe(reason);
    expect(side.calls).toEqual([]);
  });

  it('a signal in init counts instead of that of a Request, and null is none', async () => {
    const request = () => new Request(`${origin}/hello`, { signal: AbortSignal.abort(reason) });
    expect((await fetch(request(), { signal: null })).status).toBe(200);
    expect((await fetch(request(), { signal: new AbortController().signal })).status).toBe(200);
  });

  it('before: rejects in the same microtask', async () => {
    const log: string[] = [];
    await Promise.all([
      fetch(origin, { signal: AbortSignal.abort() }).catch(() => log.push('rejected')),
      Promise.resolve().then(() => log.push('next microtask')),
    ]);
    expect(log).toEqual(['rejected', 'next microtask']);
  });

  it('the signal of a Request is kept when other things are overridden, and by a Request of it', async () => {
    const aborted = () => new Request(`${origin}/x`, { method: 'POST', signal: AbortSignal.abort(reason) });
    expect(await failureOf(fetch(aborted(), { method: 'PUT' }))).toBe(reason);
    expect(await failureOf(fetch(new Request(aborted())))).toBe(reason);
    const one = new Request(origin, { signal: new AbortController().signal });
    expect(await failureOf(fetch(new Request(one, { signal: AbortSignal.abort(reason) })))).toBe(reason);
  });

  it('wrong arguments are told of first', async () => {
    const signal = AbortSignal.abort(reason);
    expect(await failureOf(fetch(origin, { signal, body: 'a' }))).toBeInstanceOf(TypeError);
  });

  it.each(['init', 'a Request'])(
    'by %s, while the server is silent: rejects at once, and Rust ends it',
    async (where) => {
      const stop = new AbortController();
      const { signal } = stop;
      const sending =
        where === 'init'
          ? fetch(`${origin}/hang`, { signal })
          : fetch(new Request(`${origin}/hang`, { signal }));
      const failing = failureOf(sending);
      await until(() => expect(received).toHaveLength(1));
      stop.abort(reason);
      expect(await failing).toBe(reason);
      await until(() => expect(side.running.size).toBe(0));
      expect(calls('native_abort')).not.toEqual([]);
    },
  );

  it('with any reason keeps it, also undefined as an AbortError', async () => {
    for (const given of ['a text', null, 0, { own: true }]) {
      const stop = new AbortController();
      const failing = failureOf(fetch(`${origin}/hang`, { signal: stop.signal }));
      await settle();
      stop.abort(given);
      expect(await failing).toBe(given);
    }
    const stop = new AbortController();
    const failing = failureOf(fetch(`${origin}/hang`, { signal: stop.signal }));
    stop.abort(undefined);
    expect(await failing).toMatchObject({ name: 'AbortError' });
  });

  it.each(['text', 'arrayBuffer', 'blob', 'json'] as const)(
    'after the head: %s rejects with the reason',
    async (method) => {
      const stop = new AbortController();
      const response = await fetch(`${origin}/hello`, { signal: stop.signal });
      stop.abort(reason);
      expect(await failureOf(response[method]())).toBe(reason);
    },
  );

  it('while the body is read: the reader rejects, Rust ends it, the server sees its end', async () => {
    const closed = vi.fn();
    routes['/watched'] = (response) => {
      response.on('close', closed);
      response.write('the beginning');
    };
    const stop = new AbortController();
    const response = await fetch(`${origin}/watched`, { signal: stop.signal });
    const reader = response.body?.getReader();
    await reader?.read();
    const next = failureOf(reader?.read() ?? Promise.resolve());
    stop.abort(reason);
    expect(await next).toBe(reason);
    expect(await failureOf(reader?.closed ?? Promise.resolve())).toBe(reason);
    await until(() => expect(closed).toHaveBeenCalled());
    expect(side.running.size).toBe(0);
  });

  it('the body of a clone is aborted too', async () => {
    const stop = new AbortController();
    const response = await fetch(`${origin}/slow`, { signal: stop.signal });
    const clone = response.clone();
    stop.abort(reason);
    expect(await failureOf(response.text())).toBe(reason);
    expect(await failureOf(clone.text())).toBe(reason);
  });

  it('an empty body is closed and not aborted', async () => {
    const stop = new AbortController();
    const response = await fetch(`${origin}/empty`, { signal: stop.signal });
    const reader = response.body?.getReader();
    stop.abort(reason);
    expect(await reader?.read()).toEqual({ done: true, value: undefined });
  });

  it('after the body was read has no effect', async () => {
    const stop = new AbortController();
    const response = await fetch(`${origin}/hello`, { signal: stop.signal });
    expect(await response.text()).toBe('hello');
    stop.abort(reason);
    expect(calls('native_abort')).toEqual([]);
  });

  it('cancels the stream that is being sent, with the reason', async () => {
    const cancel = vi.fn();
    const body = new ReadableStream({ start: (controller) => controller.enqueue(Buffer.from('a')), cancel });
    const stop = new AbortController();
    const failing = failureOf(fetch(`${origin}/x`, { method: 'POST', body, signal: stop.signal }));
    await until(() => expect(calls('native_write')).toHaveLength(1));
    stop.abort(reason);
    expect(await failing).toBe(reason);
    expect(cancel.mock.calls).toEqual([[reason]]);
  });

  it('cancels a stream that is not sent yet, with the reason', async () => {
    const cancel = vi.fn();
    const body = () => new ReadableStream({ cancel });
    const failed = failureOf(
      fetch(origin, { method: 'POST', body: body(), signal: AbortSignal.abort(reason) }),
    );
    // At once.
    expect(cancel.mock.calls).toEqual([[reason]]);
    await failed;
    expect(cancel.mock.calls).toEqual([[reason]]);
    const stop = new AbortController();
    const failing = Array.from({ length: 33 }, () =>
      failureOf(fetch(`${origin}/hang`, { method: 'POST', body: body(), signal: stop.signal })),
    );
    await until(() => expect(calls('native_fetch')).toHaveLength(32));
    stop.abort(reason);
    await Promise.all(failing);
    await settle();
    expect(cancel.mock.calls).toEqual(Array(34).fill([reason]));
  });

  it('one signal ends all requests that have it', async () => {
    const stop = new AbortController();
    const { signal } = stop;
    const failing = Array.from({ length: 40 }, () => failureOf(fetch(`${origin}/hang`, { signal })));
    await until(() => expect(received).toHaveLength(32));
    stop.abort(reason);
    expect(await Promise.all(failing)).toEqual(Array(40).fill(reason));
    await until(() => expect(side.running.size).toBe(0));
  });

  it('a response that comes after the abort is ended, since the call to end it may have overtaken the request', async () => {
    const stop = new AbortController();
    const failing = failureOf(fetch(`${origin}/slow`, { signal: stop.signal }));
    await until(() => expect(calls('native_fetch')).toHaveLength(1));
    // Rust hears of the end before it knows of the request.
    const { running } = side;
    const [id = 0] = running.keys();
    const lost = running.get(id);
    running.clear();
    stop.abort(reason);
    await failing;
    if (lost) running.set(id, lost);
    await until(() => expect(running.size).toBe(0));
    expect(calls('native_abort').length).toBeGreaterThan(1);
  });
});

describe('many at once', () => {
  it('are 32, and the others follow in their order', async () => {
    const answers = await Promise.all(Array.from({ length: 100 }, (_, index) => fetch(`${origin}/${index}`)));
    expect(answers.map(({ url }) => url)).toEqual(
      Array.from({ length: 100 }, (_, index) => `${origin}/${index}`),
    );
    expect(side.most).toBeLessThanOrEqual(32);
    const order = calls('native_fetch').map(({ head }) => Number(new URL(`${head.url}`).pathname.slice(1)));
    expect(order).toEqual(Array.from({ length: 100 }, (_, index) => index));
  });

  it('one that is aborted leaves the queue, and the next takes its place', async () => {
    const ends: (() => void)[] = [];
    routes['/held'] = (response) => void ends.push(() => response.end());
    const running = Array.from({ length: 32 }, () => fetch(`${origin}/held`));
    await until(() => expect(ends).toHaveLength(32));
    const stop = new AbortController();
    const aborted = failureOf(fetch(`${origin}/aborted`, { signal: stop.signal }));
    const next = fetch(`${origin}/next`);
    await settle();
    stop.abort();
    expect(await aborted).toMatchObject({ name: 'AbortError' });
    ends[0]?.();
    await next;
    expect(received.map(({ path }) => path)).not.toContain('/aborted');
    for (const end of ends) end();
    await Promise.all(running);
  });

  it('responses that nobody reads hold no turn, if they are here', async () => {
    for (let turn = 0; turn < 40; turn++) expect((await fetch(`${origin}/hello`)).ok).toBe(true);
    expect(calls('native_abort')).toEqual([]);
  });

  it('responses that nobody can read any more are ended', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    for (let turn = 0; turn < 32; turn++) expect((await fetch(`${origin}/endless`)).ok).toBe(true);
    const next = fetch(`${origin}/hello`);
    await until(() => {
      collect();
      expect(side.running.size).toBeLessThan(32);
    });
    expect(await (await next).text()).toBe('hello');
  });

  it('failures give their turn back', async () => {
    for (let turn = 0; turn < 40; turn++)
      expect(await failureOf(fetch('http://127.0.0.1:9/'))).toBeInstanceOf(TypeError);
    expect((await fetch(`${origin}/hello`)).status).toBe(200);
  });
});

describe('errors of Rust', () => {
  it.each(['forbidden', 'invalid-argument', 'misconfigured', 'internal'] as const)(
    '%s is a TypeError that says why',
    async (code) => {
      side.faults.push({ command: 'native_fetch', cause: rejection(code, 'the reason') });
      const error = await failureOf(fetch(origin));
      expect(error).toBeInstanceOf(TypeError);
      expect(error).toMatchObject({ message: 'the reason', cause: { name: 'SecureTokenError', code } });
    },
  );

  it.each(['unavailable', 'timeout'] as const)(
    '%s is the TypeError of a network, as clients know it',
    async (code) => {
      side.faults.push({ command: 'native_fetch', cause: rejection(code, 'the reason') });
      const error = await failureOf(fetch(origin));
      expect(error).toBeInstanceOf(TypeError);
      expect(error).toMatchObject({
        message: 'fetch failed',
        cause: { code, message: 'the reason', retryable: true },
      });
    },
  );

  it.each(['locked', 'denied', 'lost', 'corrupt'] as const)('%s is that of the session', async (code) => {
    side.faults.push({ command: 'native_fetch', cause: rejection(code) });
    expect(await failureOf(fetch(origin))).toMatchObject({ name: 'SecureTokenError', code });
  });

  it('amid a body is where it is read', async () => {
    side.firstBytes = 0;
    const response = await fetch(`${origin}/hello`);
    side.faults.push({ command: 'native_read', cause: rejection('timeout', 'the reason') });
    const error = await failureOf(response.text());
    expect(error).toBeInstanceOf(TypeError);
    expect(error).toMatchObject({ cause: { code: 'timeout' } });
  });

  it('a piece that Rust refuses fails the request', async () => {
    side.faults.push({ command: 'native_write', cause: rejection('internal', 'the reason') });
    const error = await failureOf(fetch(`${origin}/x`, { method: 'POST', body: streamOf('a') }));
    expect(error).toBeInstanceOf(TypeError);
    await until(() => expect(side.running.size).toBe(0));
  });

  it('what Rust says of the request counts more than what it says of its pieces', async () => {
    const error = await failureOf(fetch('http://127.0.0.1:9/', { method: 'POST', body: streamOf('a', 'b') }));
    expect(error).toMatchObject({ cause: { code: 'forbidden' } });
  });
});

describe('Android', () => {
  beforeEach(() => {
    vi.stubGlobal('navigator', { userAgent: 'Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36' });
    onTestFinished(() => void vi.unstubAllGlobals());
  });

  it('frames cross as base64, whatever the bytes', async () => {
    const bytes = Uint8Array.from({ length: 3 * MIB + 1 }, (_, index) => (index * 31) % 256);
    routes['/echo'] = (response, request) => void request.pipe(response);
    const invoke = vi.spyOn(
      (globalThis as unknown as { __TAURI_INTERNALS__: { invoke(): void } }).__TAURI_INTERNALS__,
      'invoke',
    );
    const response = await fetch(`${origin}/unread`, { method: 'POST', body: 'small' });
    expect(await response.text()).toBe('');
    for (const [name, args] of invoke.mock.calls as unknown as [string, object][])
      if (/native_(fetch|read|write)/.test(name)) expect(args).toEqual({ frame: expect.any(String) });
    const sending = fetch(`${origin}/x`, { method: 'POST', body: bytes });
    await (await sending).text();
    expect(received[1]?.body).toBe(Buffer.from(bytes).toString('utf8'));
  });
});
