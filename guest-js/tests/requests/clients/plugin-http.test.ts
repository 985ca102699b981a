// @tauri-apps/plugin-http under createAuthFetch: its real guest code, over a stand-in for its Rust side.

import { fetch as httpFetch } from '@tauri-apps/plugin-http';
import ky from 'ky';
import { beforeEach, expect, it, vi } from 'vitest';
import { createAuthFetch } from '../../../requests/fetch.js';
import { until } from '../../support/helpers.js';
import { signedInPage } from '../../support/project.js';
import { serve, serveApi } from '../../support/servers.js';
import { type Client, testClient } from './contract.js';
import { HttpPlugin } from './http-plugin.js';
import { testRefusals } from './refusals.js';

let plugin: HttpPlugin;

beforeEach(() => {
  plugin = new HttpPlugin();
});

const others = (command: string, payload: unknown) => plugin.answer(command, payload);

const connect = (authFetch: typeof fetch): Client => ({
  async send(url, { request, json, form, stream, method, signal } = {}) {
    const body = json ? JSON.stringify(json) : (form ?? stream);
    const response = await authFetch(request ?? url, {
      ...(method && { method }),
      ...(body && { body }),
      ...(stream && { duplex: 'half' }),
      ...(signal && { signal }),
    });
    return { status: response.status, text: await response.text() };
  },
  open: async (url) => (await authFetch(url)).body ?? new ReadableStream(),
});

testClient({ connect, fetch: httpFetch, others, keepsStreams: false });

const pluginWith =
  (authFetch: ReturnType<typeof createAuthFetch>, init?: object) => (url: string, body?: object) =>
    authFetch(url, { ...(body && { method: 'POST', body: JSON.stringify(body) }), ...init });

testRefusals({
  connect: (session, options) => pluginWith(createAuthFetch(session, { ...options, fetch: httpFetch })),
  once: (session, options) =>
    pluginWith(createAuthFetch(session, { ...options, fetch: httpFetch }), { repeat: false }),
  others,
});

async function client(origin: string, refresh = async () => ({ token: 't2' })) {
  const page = await signedInPage({ token: 't1' }, others);
  return page.createAuthFetch(page.createSession({ refresh }), { origins: [origin], fetch: httpFetch });
}

it('the body of an answer that is not passed on is dropped on the Rust side', async () => {
  const api = await serve(({ path, authorization }, response) => {
    if (path === '/moved') response.writeHead(302, { location: '/' });
    else response.writeHead(authorization === 'Bearer t2' ? 200 : 401);
    response.end('a body');
  });
  const authFetch = await client(api.origin);
  await (await authFetch(api.origin)).text();
  await expect(authFetch(`${api.origin}/moved`)).rejects.toThrow(TypeError);
  expect(api.received.length).toBe(3);
  await until(() => expect(plugin.bodies.size).toBe(0));
});

it('a signal inside a Request ends the request, although plugin-http looks only into the options', async () => {
  const closed = vi.fn();
  const api = await serve((_, response) => void response.on('close', closed));
  const authFetch = await client(api.origin);
  const stop = new AbortController();
  const response = authFetch(new Request(api.origin, { signal: stop.signal }));
  await until(() => expect(api.received.length).toBe(1));
  stop.abort(new Error('the user left'));
  await expect(response).rejects.toThrow('the user left');
  await until(() => expect(closed).toHaveBeenCalled());
});

it('P4 the text that the Rust side rejects with becomes the cause of an error, and is in no message', async () => {
  const authFetch = await client('http://127.0.0.1:1');
  const text = 'error sending request for url (http://127.0.0.1:1/)';
  const error = await authFetch('http://127.0.0.1:1').catch((error: unknown) => error);
  expect(error).toBeInstanceOf(Error);
  expect(error).toMatchObject({ message: expect.not.stringContaining('127.0.0.1'), cause: text });
});

it('a client may stand on top of it', async () => {
  const api = await serveApi('t2');
  const kyOnPlugin = ky.create({ fetch: await client(api.origin) });
  expect(await kyOnPlugin.post(api.origin, { json: { a: 1 } }).text()).toBe('hello');
  expect(api.received).toMatchObject(Array(2).fill({ body: '{"a":1}', type: 'application/json' }));
});
