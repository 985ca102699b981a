// The arguments of createAuthFetch: taken when it is called, and sent as fetch itself would.

import { beforeEach, describe, expect, it, vi } from 'vitest';
import { createAuthFetch } from '../../requests/fetch.js';
import type { Tokens } from '../../session/session.js';
import { type Deferred, deferred, until } from '../support/helpers.js';
import { signedInPage, withStore } from '../support/project.js';
import { serve, serveApi } from '../support/servers.js';

let page: Awaited<ReturnType<typeof signedInPage>>;

beforeEach(async () => {
  page = await signedInPage({ token: 't1', refreshToken: 'r1' });
});

const bytesOf = (text: string) => new TextEncoder().encode(text);

const formOf = (text: string) => {
  const form = new FormData();
  form.set('field', text);
  form.set('file', new File([text], 'named.txt', { type: 'text/x-own' }));
  return form;
};

/** Bodies that can be changed, each with how. */
const changing: [string, () => { body: BodyInit; change(): unknown }][] = [
  [
    'bytes',
    () => {
      const body = bytesOf('first');
      return { body, change: () => body.set(bytesOf('LATER')) };
    },
  ],
  [
    'a part of a buffer',
    () => {
      const all = bytesOf('xxfirstxx');
      return { body: all.subarray(2, 7), change: () => all.fill(0x41) };
    },
  ],
  [
    'a DataView',
    () => {
      const all = bytesOf('xxfirstxx');
      return { body: new DataView(all.buffer, 2, 5), change: () => all.fill(0x41) };
    },
  ],
  [
    'an ArrayBuffer',
    () => {
      const all = bytesOf('first');
      return { body: all.buffer, change: () => all.fill(0x41) };
    },
  ],
  [
    'URLSearchParams',
    () => {
      const body = new URLSearchParams({ field: 'first' });
      return { body, change: () => body.set('field', 'LATER') };
    },
  ],
  [
    'FormData',
    () => {
      const body = formOf('first');
      return { body, change: () => body.set('field', 'LATER') };
    },
  ],
];

describe('what the caller changes later has no effect', () => {
  const waiting = async () => {
    const api = await serveApi('t2');
    const next: Deferred<Tokens> = deferred();
    const refresh = vi.fn(() => next.promise);
    const session = page.createSession({ refresh });
    return { api, next, refresh, authFetch: createAuthFetch(session, { origins: [api.origin] }) };
  };

  it.each(changing)('%s, while the request waits for the session', async (_, make) => {
    const api = await serveApi('t1');
    const authFetch = createAuthFetch(page.createSession(), { origins: [api.origin] });
    const { body, change } = make();
    const sending = authFetch(api.origin, { method: 'POST', body });
    change();
    expect((await sending).status).toBe(200);
    expect(api.received[0]?.body).toContain('first');
    expect(api.received[0]?.body).not.toContain('LATER');
  });

  it.each(changing)('%s, while a refresh waits', async (_, make) => {
    const { api, next, refresh, authFetch } = await waiting();
    const { body, change } = make();
    const sending = authFetch(api.origin, { method: 'POST', body });
    await until(() => expect(refresh).toHaveBeenCalled());
    change();
    next.resolve({ token: 't2' });
    expect((await sending).status).toBe(200);
    expect(api.received).toHaveLength(2);
    const boundless = api.received.map(({ body, type }) =>
      body.replaceAll(type?.split('boundary=')[1] ?? '-', ''),
    );
    expect(boundless[1]).toBe(boundless[0]);
    expect(boundless[1]).toContain('first');
  });

  it.each(['waits for the session', 'waits for a refresh'])(
    'an init that is used again in a loop: %s',
    async (when) => {
      const api = await serveApi(when === 'waits for a refresh' ? 't2' : 't1');
      const session = page.createSession({ refresh: async () => ({ token: 't2' }) });
      const authFetch = createAuthFetch(session, { origins: [api.origin] });
      const headers = new Headers();
      const init: RequestInit = { headers };
      const responses = ['a', 'b', 'c'].map((name) => {
        init.method = name === 'a' ? 'PUT' : 'POST';
        init.body = name;
        headers.set('content-type', `text/${name}`);
        return authFetch(api.origin, init);
      });
      delete init.method;
      headers.set('content-type', 'text/LATER');
      expect((await Promise.all(responses)).map(({ status }) => status)).toEqual([200, 200, 200]);
      const sent = new Set(api.received.map(({ method, body, type }) => `${method} ${body} ${type}`));
      expect(sent).toEqual(new Set(['PUT a text/a', 'POST b text/b', 'POST c text/c']));
    },
  );

  withStore('a signal that is put into init later, or taken out', async () => {
    const api = await serveApi('t1');
    const open = page.vault.hold('get_token');
    const authFetch = createAuthFetch(page.createSession(), { origins: [api.origin] });
    const [late, early] = [new AbortController(), new AbortController()];
    const init: RequestInit = { signal: early.signal };
    const sending = authFetch(api.origin, init);
    init.signal = late.signal;
    const other: RequestInit = {};
    const kept = authFetch(api.origin, other);
    other.signal = early.signal;
    late.abort();
    early.abort(new Error('the user left'));
    open();
    await expect(sending).rejects.toThrow('the user left');
    expect((await kept).status).toBe(200);
  });

  it('the body of a Request is used up at once, as by fetch', async () => {
    const api = await serveApi('t1');
    const authFetch = createAuthFetch(page.createSession(), { origins: [api.origin] });
    const request = new Request(api.origin, { method: 'POST', body: 'body' });
    const sending = authFetch(request);
    expect(request.bodyUsed).toBe(true);
    expect((await sending).status).toBe(200);
    await expect(authFetch(request)).rejects.toThrow(TypeError);
    expect(api.received).toMatchObject([{ body: 'body' }]);
  });

  it('options of createAuthFetch that are changed later', async () => {
    const send = vi.fn(async (_input: unknown, _init?: RequestInit) => new Response());
    const options = { origins: ['https://api.example.com'], fetch: send as typeof fetch };
    const authFetch = createAuthFetch(page.createSession(), options);
    options.origins.push('https://evil.test');
    await authFetch('https://evil.test');
    expect(send.mock.calls).toEqual([['https://evil.test', undefined]]);
  });
});

describe('arguments mean what they mean to fetch', () => {
  /** The Requests that would be sent, without sending them. The first token is refused. */
  async function sent(input: string | Request, init?: RequestInit) {
    // Another page, since a test may send several.
    const { createSession } = await signedInPage({ token: 't1', refreshToken: 'r1' });
    const requests: Request[] = [];
    const send = vi.fn(async (target: string | URL | Request, options?: RequestInit) => {
      requests.push(new Request(target, options));
      return new Response(null, { status: requests.length === 1 ? 401 : 200 });
    });
    const session = createSession({ refresh: async () => ({ token: 't2' }) });
    const authFetch = createAuthFetch(session, { origins: ['https://api.example.com'], fetch: send });
    expect((await authFetch(input, init)).status).toBe(200);
    expect(requests.map(({ headers }) => headers.get('authorization'))).toEqual(['Bearer t1', 'Bearer t2']);
    return { requests, options: send.mock.calls.map(([, options]) => options) };
  }

  const url = 'https://api.example.com/';

  const members = [
    ['cache', 'no-store'],
    ['credentials', 'omit'],
    ['integrity', 'sha256-AAAA'],
    ['keepalive', true],
    ['mode', 'same-origin'],
    ['referrerPolicy', 'no-referrer'],
    ['redirect', 'manual'],
    ['method', 'DELETE'],
  ] as const;

  it.each(members)('%s of init', async (name, value) => {
    for (const request of (await sent(url, { [name]: value })).requests) expect(request[name]).toBe(value);
  });

  it.each(members)('%s of a Request, with and without an init', async (name, value) => {
    const given = () => new Request(url, { [name]: value });
    for (const init of [undefined, {}, { headers: { 'x-own': '1' } }, { signal: null }] as RequestInit[]) {
      // What fetch makes of the same arguments.
      const expected = new Request(given(), init);
      for (const request of (await sent(given(), init)).requests) {
        expect(request[name]).toBe(expected[name]);
        expect(request.referrer).toBe(expected.referrer);
      }
    }
  });

  it.each(members)('%s of init goes before that of a Request', async (name, value) => {
    const given = new Request(url, { method: 'PATCH' });
    for (const request of (await sent(given, { [name]: value })).requests) expect(request[name]).toBe(value);
  });

  it('the referrer of a Request', async () => {
    for (const request of (await sent(new Request(url, { referrer: '' }))).requests) {
      expect(request.referrer).toBe('');
    }
  });

  it('members that only another fetch knows, or that a Request does not show', async () => {
    const init = { window: null, priority: 'high', connectTimeout: 5 };
    for (const target of [url, new Request(url)]) {
      for (const options of (await sent(target, init as RequestInit)).options) {
        expect(options).toMatchObject(init);
        expect(options).not.toHaveProperty('repeat');
      }
    }
  });

  it('a Request as the init of another address', async () => {
    const init = new Request('https://other.test', {
      method: 'PUT',
      headers: { 'x-own': '1' },
      cache: 'no-store',
    });
    for (const request of (await sent(url, init)).requests) {
      expect(request.url).toBe(url);
      expect(request).toMatchObject({ method: 'PUT', cache: 'no-store' });
      expect(request.headers.get('x-own')).toBe('1');
    }
  });

  it('an init that inherits its members', async () => {
    const init = Object.create({ method: 'PUT', body: 'inherited' });
    for (const request of (await sent(url, init)).requests) {
      expect(request.method).toBe('PUT');
      expect(await request.text()).toBe('inherited');
    }
  });

  it.each([null, undefined])('%s as init', async (init) => {
    expect((await sent(url, init as undefined)).requests[0]?.method).toBe('GET');
  });

  it('a used Request with a new body', async () => {
    const used = new Request(url, { method: 'POST', body: 'used' });
    await used.text();
    for (const request of (await sent(used, { body: 'new' })).requests) {
      expect(await request.text()).toBe('new');
    }
  });

  it('a file in a form keeps its name and type', async () => {
    for (const request of (await sent(url, { method: 'POST', body: formOf('first') })).requests) {
      const file = (await request.formData()).get('file') as File;
      expect([file.name, file.type, await file.text()]).toEqual(['named.txt', 'text/x-own', 'first']);
    }
  });

  it('signal: null takes that of a Request away', async () => {
    const api = await serveApi('t1');
    const authFetch = createAuthFetch(page.createSession(), { origins: [api.origin] });
    const aborted = new Request(api.origin, { signal: AbortSignal.abort() });
    expect((await authFetch(aborted, { signal: null })).status).toBe(200);
    await expect(authFetch(new Request(aborted), {})).rejects.toMatchObject({ name: 'AbortError' });
  });

  it('a Request that is sent without a token, signed out', async () => {
    const api = await serve(({ body }, response) => void response.end(body));
    const session = page.createSession();
    await session.logout();
    const authFetch = createAuthFetch(session, { origins: [api.origin] });
    const request = new Request(api.origin, { method: 'POST', body: 'body' });
    expect(await (await authFetch(request)).text()).toBe('body');
    expect(await (await authFetch(api.origin, { method: 'PUT', body: bytesOf('x') })).text()).toBe('x');
    expect(api.received).toMatchObject([{ authorization: undefined }, { method: 'PUT' }]);
  });
});
