// What every HTTP client must do with createAuthFetch as its fetch: the same tests for each.

import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { SessionOptions, Tokens } from '../../../session/session.js';
import type { FakeVault } from '../../support/fake-vault.js';
import { deferred, until } from '../../support/helpers.js';
import { NativeSide } from '../../support/native-side.js';
import { signedInPage, withStore } from '../../support/project.js';
import { serve, serveApi } from '../../support/servers.js';

export interface Sending {
  method?: 'GET' | 'POST';
  json?: object;
  form?: FormData;
  stream?: ReadableStream<Uint8Array>;
  /** Goes instead of the URL, where the library takes one. */
  request?: Request;
  signal?: AbortSignal;
}

/** A library with its own ways of sending, reduced to what the tests ask for. */
export interface Client {
  send(url: string, sending?: Sending): Promise<{ status: number; text: string }>;
  /** Resolves with the body before it has ended. */
  open(url: string): Promise<ReadableStream<Uint8Array>>;
}

export interface Traits {
  connect(authFetch: typeof fetch): Client;
  /** What sends. Default: that of Node. */
  fetch?: typeof fetch;
  /** Answers the commands of other plugins. */
  others?: (command: string, payload: unknown) => unknown;
  /** The fetch is that of a native session, which refuses what createAuthFetch hands on untouched. */
  native?: boolean;
  /** Whether the library makes a `Request` of a stream: its body is kept, so it can be sent again. */
  keepsStreams: boolean;
  /** Finds the reason of an abort in what the library rejects with. */
  reason?: (error: Error) => unknown;
}

const streamOf = (text: string) => new Blob([text]).stream();

export function testClient(traits: Traits) {
  const { connect, fetch, others, native = false, keepsStreams, reason = (error) => error } = traits;

  let page: Awaited<ReturnType<typeof signedInPage>>;
  let vault: FakeVault;
  let createNativeSession: typeof import('../../../requests/native.js').createNativeSession;

  beforeEach(async () => {
    page = await signedInPage({ token: 't1', refreshToken: 'r1' }, others);
    vault = page.vault;
    ({ createNativeSession } = await import('../../../requests/native.js'));
  });

  function client(origins: string[], refresh?: SessionOptions['refresh']) {
    if (native) {
      // The developer is told of a request that the capability does not allow.
      vi.spyOn(console, 'warn').mockImplementation(() => {});
      new NativeSide(vault, { origins, refresh });
      const { ready, fetch } = createNativeSession();
      // The page has no token: the tests look at that of Rust.
      const getToken = () => vault.owner().held?.record.token;
      return { session: { ready, getToken }, ...connect(fetch) };
    }
    const session = page.createSession(refresh && { refresh });
    const authFetch = page.createAuthFetch(session, { origins, ...(fetch && { fetch }) });
    return { session, ...connect(authFetch) };
  }

  const toT2 = () => vi.fn(async (): Promise<Tokens> => ({ token: 't2', refreshToken: 'r2' }));

  it('attaches the token', async () => {
    const api = await serveApi('t1');
    const { send } = client([api.origin]);
    expect(await send(`${api.origin}/me?x=1`)).toEqual({ status: 200, text: 'hello' });
    expect(api.received).toMatchObject([{ method: 'GET', path: '/me?x=1' }]);
  });

  it('P4 attaches it for both origins of the list and for no other', async () => {
    const [one, two, other] = await Promise.all([serveApi('t1'), serveApi('t1'), serveApi('t1')]);
    const { send } = client([one.origin, two.origin]);
    expect(await send(one.origin)).toMatchObject({ status: 200 });
    expect(await send(two.origin)).toMatchObject({ status: 200 });
    if (native) await expect(send(other.origin)).rejects.toThrow(Error);
    else expect(await send(other.origin)).toMatchObject({ status: 401 });
    expect(other.received.filter(({ authorization }) => authorization)).toEqual([]);
    expect(other.received).toHaveLength(native ? 0 : 1);
  });

  describe('401', () => {
    const form = () => {
      const data = new FormData();
      data.append('field', 'value');
      return data;
    };

    it.each<[string, (url: string) => Sending, RegExp]>([
      ['JSON', () => ({ method: 'POST', json: { a: 1 } }), /^\{"a":1\}$/],
      ['FormData', () => ({ method: 'POST', form: form() }), /name="field"\r\n\r\nvalue\r\n/],
      [
        'a Request',
        (url) => ({ request: new Request(url, { method: 'PUT', body: 'in the request' }) }),
        /^in the request$/,
      ],
    ])('refreshes and sends %s again, whole', async (_, sending, body) => {
      const api = await serveApi('t2');
      const refresh = toT2();
      const { send } = client([api.origin], refresh);
      const url = `${api.origin}/things`;
      expect(await send(url, sending(url))).toEqual({ status: 200, text: 'hello' });
      expect(api.received.map(({ authorization }) => authorization)).toEqual(['Bearer t1', 'Bearer t2']);
      expect(api.received[1]).toMatchObject({ path: '/things', method: api.received[0]?.method });
      for (const received of api.received) {
        expect(received.body).toMatch(body);
        // A form is unreadable if its type names another boundary.
        expect(received.body).toContain(received.type?.split('boundary=')[1] ?? '');
      }
      expect(refresh).toHaveBeenCalledTimes(1);
    });

    it('of ten at once: one refresh', async () => {
      const api = await serveApi('t2');
      const refresh = toT2();
      const { send } = client([api.origin], refresh);
      const answers = await Promise.all(
        Array.from({ length: 10 }, (_, index) => send(`${api.origin}/${index}`)),
      );
      expect(answers).toEqual(Array(10).fill({ status: 200, text: 'hello' }));
      expect(refresh).toHaveBeenCalledTimes(1);
    });

    it('after the retry is the answer', async () => {
      const api = await serveApi('never');
      const { send } = client([api.origin], toT2());
      expect(await send(api.origin)).toEqual({ status: 401, text: 'refused' });
      expect(api.received.length).toBe(2);
    });
  });

  it.each([301, 302, 303, 307, 308])('P4 %i to another origin never carries the token', async (status) => {
    const other = await serveApi('t1');
    const api = await serve((_, response) => {
      response.writeHead(status, { location: `${other.origin}/steal` }).end('moved');
    });
    const { send } = client([api.origin]);
    await expect(send(api.origin)).rejects.toThrow(Error);
    await expect(send(api.origin, { method: 'POST', json: { a: 1 } })).rejects.toThrow(Error);
    expect(api.received[0]).toMatchObject({ authorization: 'Bearer t1' });
    expect(other.received).toEqual([]);
  });

  describe('abort', () => {
    const aborted = (sending: Promise<unknown>) => sending.catch((error) => reason(error));
    const abortError = expect.objectContaining({ name: 'AbortError' });

    it('before: nothing is sent', async () => {
      const api = await serveApi('t1');
      const { send } = client([api.origin]);
      expect(await aborted(send(api.origin, { signal: AbortSignal.abort() }))).toEqual(abortError);
      expect(api.received).toEqual([]);
    });

    withStore('while the key store has not answered: nothing is sent', async () => {
      const api = await serveApi('t1');
      const open = vault.hold('get_token');
      const { send, session } = client([api.origin]);
      const stop = new AbortController();
      const sending = aborted(send(api.origin, { signal: stop.signal }));
      await until(() => expect(vault.count('get_token')).toBe(1));
      stop.abort();
      expect(await sending).toEqual(abortError);
      open();
      await session.ready();
      expect(api.received).toEqual([]);
    });

    it('during the refresh: it is not sent again, the refresh goes on', async () => {
      const api = await serveApi('t2');
      const answer = deferred<Tokens>();
      const refresh = vi.fn(() => answer.promise);
      const { send, session } = client([api.origin], refresh);
      const stop = new AbortController();
      const sending = aborted(send(api.origin, { signal: stop.signal }));
      await until(() => expect(refresh).toHaveBeenCalledTimes(1));
      stop.abort();
      expect(await sending).toEqual(abortError);
      answer.resolve({ token: 't2' });
      await until(() => expect(session.getToken()).toBe('t2'));
      expect(api.received.length).toBe(1);
    });

    it('during the request: the server sees its end', async () => {
      const closed = vi.fn();
      const api = await serve((_, response) => void response.on('close', closed));
      const { send } = client([api.origin]);
      const stop = new AbortController();
      const sending = aborted(send(api.origin, { signal: stop.signal }));
      await until(() => expect(api.received.length).toBe(1));
      stop.abort();
      expect(await sending).toEqual(abortError);
      await until(() => expect(closed).toHaveBeenCalled());
    });
  });

  describe('a stream', () => {
    it('is sent', async () => {
      const api = await serveApi('t1');
      const { send } = client([api.origin]);
      const sending = { method: 'POST', stream: streamOf('from a stream') } as const;
      expect(await send(api.origin, sending)).toMatchObject({ status: 200 });
      expect(api.received).toMatchObject([{ body: 'from a stream', authorization: 'Bearer t1' }]);
    });

    const fate = keepsStreams ? 'in a Request was kept and is sent again' : 'cannot be sent again';
    it(`${fate} after a 401`, async () => {
      const api = await serveApi('t2');
      const refresh = toT2();
      const { send } = client([api.origin], refresh);
      const sending = { method: 'POST', stream: streamOf('from a stream') } as const;
      expect(await send(api.origin, sending)).toMatchObject({ status: keepsStreams ? 200 : 401 });
      expect(api.received.map(({ body }) => body)).toEqual(Array(keepsStreams ? 2 : 1).fill('from a stream'));
      expect(refresh).toHaveBeenCalledTimes(1);
    });

    it('is received while it is still being sent', async () => {
      let end = () => {};
      const api = await serve((_, response) => {
        end = () => void response.end('the rest');
        response.write('the beginning');
      });
      const { open } = client([api.origin]);
      const reader = (await open(api.origin)).getReader();
      const text = async () => new TextDecoder().decode((await reader.read()).value);
      expect(await text()).toBe('the beginning');
      end();
      expect(await text()).toBe('the rest');
      expect((await reader.read()).done).toBe(true);
    });
  });
}
