// Webviews that Tauri still allows, such as those of iOS 15.0: what came to the platform since March 2022 is not there.

import { fetch as httpFetch } from '@tauri-apps/plugin-http';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { createAuthFetch } from '../../requests/fetch.js';
import type { Tokens } from '../../session/session.js';
import { deferred, until } from '../support/helpers.js';
import { signedInPage } from '../support/project.js';
import { serve, serveApi } from '../support/servers.js';
import { HttpPlugin } from './clients/http-plugin.js';

/**
 * What Safari got with 15.4 or later, by where it lives. Not here is what Node's fetch and vitest need themselves, such as
 * `Object.hasOwn` and `Array.prototype.at`.
 */
const newer: [object, string[]][] = [
  [AbortSignal.prototype, ['throwIfAborted', 'reason']],
  [AbortSignal, ['any', 'timeout']],
  [Array.prototype, ['findLast', 'findLastIndex', 'toReversed', 'toSorted', 'toSpliced', 'with']],
  [Object, ['groupBy']],
  [Promise, ['withResolvers', 'try']],
  [Response, ['json']],
  [Request.prototype, ['bytes']],
  [Response.prototype, ['bytes']],
  [URL, ['canParse', 'parse']],
  [globalThis, ['structuredClone']],
  [globalThis.crypto, ['randomUUID']],
];

/** `new Error(text, { cause })` keeps no cause. */
function withoutCause() {
  for (const name of ['Error', 'TypeError'] as const) {
    const Known = globalThis[name];
    vi.stubGlobal(
      name,
      new Proxy(Known, { construct: (target, [text], made) => Reflect.construct(target, [text], made) }),
    );
  }
}

let page: Awaited<ReturnType<typeof signedInPage>>;
let plugin: HttpPlugin;

beforeEach(async () => {
  plugin = new HttpPlugin();
  page = await signedInPage({ token: 't1', refreshToken: 'r1' }, (command, payload) =>
    plugin.answer(command, payload),
  );
  const removed = newer.flatMap(([owner, names]) =>
    names.map((name) => [owner, name, Object.getOwnPropertyDescriptor(owner, name)] as const),
  );
  for (const [owner, name] of removed) delete (owner as Record<string, unknown>)[name];
  withoutCause();
  return () => {
    vi.unstubAllGlobals();
    for (const [owner, name, before] of removed) if (before) Object.defineProperty(owner, name, before);
  };
});

const senders: [string, typeof fetch][] = [
  ['the fetch of the page', globalThis.fetch],
  ['plugin-http', httpFetch],
];

describe.each(senders)('over %s', (_, send) => {
  const client = (origin: string, refresh: () => Promise<Tokens> = async () => ({ token: 't2' })) =>
    createAuthFetch(page.createSession({ refresh }), { origins: [origin], fetch: send });

  it('the webview of the test is old', () => {
    expect(AbortSignal.abort().reason).toBeUndefined();
    expect('throwIfAborted' in AbortSignal.prototype).toBe(false);
    expect(new Error('text', { cause: 1 }).cause).toBeUndefined();
  });

  it.each<[string, (url: string) => Promise<Response>]>([
    ['an address', (url) => client(url)(`${url}/me`)],
    ['a signal', (url) => client(url)(url, { signal: new AbortController().signal })],
    ['a Request', (url) => client(url)(new Request(url, { method: 'PUT', body: 'body' }))],
    ['a form', (url) => client(url)(url, { method: 'POST', body: new FormData() })],
    ['bytes', (url) => client(url)(url, { method: 'POST', body: new Uint8Array(3) })],
  ])('%s is sent, and again after a refresh', async (_, sending) => {
    const api = await serveApi('t2');
    expect((await sending(api.origin)).status).toBe(200);
    expect(api.received.map(({ authorization }) => authorization)).toEqual(['Bearer t1', 'Bearer t2']);
  });

  const abortError = { name: 'AbortError' };

  it('an abort rejects with an AbortError: before, during the request, during the refresh', async () => {
    const api = await serve(({ path }, response) => {
      if (path === '/refused') response.writeHead(401).end();
    });
    const never = deferred<Tokens>();
    const refresh = vi.fn(() => never.promise);
    const authFetch = client(api.origin, refresh);
    const before = new AbortController();
    before.abort();
    await expect(authFetch(api.origin, { signal: before.signal })).rejects.toMatchObject(abortError);
    expect(api.received).toHaveLength(0);

    const during = new AbortController();
    const silent = authFetch(new Request(api.origin, { signal: during.signal }));
    silent.catch(() => {});
    await until(() => expect(api.received).toHaveLength(1));
    during.abort();
    await expect(silent).rejects.toMatchObject(abortError);

    const refreshing = new AbortController();
    const refused = authFetch(`${api.origin}/refused`, { signal: refreshing.signal });
    refused.catch(() => {});
    await until(() => expect(refresh).toHaveBeenCalled());
    refreshing.abort();
    await expect(refused).rejects.toMatchObject(abortError);
  });

  it('a response that a refresh throws is the cause of an error', async () => {
    const api = await serveApi('t2');
    const cause = new Response(null, { status: 503 });
    await expect(client(api.origin, () => Promise.reject(cause))(api.origin)).rejects.toMatchObject({
      cause,
    });
  });
});
