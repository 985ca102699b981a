// supabase-js with the fetch of a native session: its database and its storage, against a local server.

import { createClient } from '@supabase/supabase-js';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { FakeVault } from '../support/fake-vault.js';
import { NativeSide } from '../support/native-side.js';
import { serve, type TestServer } from '../support/servers.js';

let server: TestServer;
let fetch: typeof globalThis.fetch;

beforeEach(async () => {
  // The client looks for it when it is made, and Node 20 has none. Nothing here connects.
  vi.stubGlobal('WebSocket', class {});
  vi.resetModules();
  const { createNativeSession } = await import('../../requests/native.js');
  const vault = new FakeVault({ default: { token: 'SECRET-1' } });
  server = await serve(({ path, authorization }, response) => {
    response.setHeader('content-type', 'application/json');
    if (authorization !== 'Bearer SECRET-1') response.writeHead(401).end('{"message":"no"}');
    else if (path.startsWith('/rest')) response.end('[{"id":1}]');
    else response.end('{"Key":"avatars/ada.png","Id":"1"}');
  });
  new NativeSide(vault, { origins: [server.origin] });
  ({ fetch } = createNativeSession());
});

afterEach(() => void vi.unstubAllGlobals());

/** As docs/native-requests.md shows it. */
const client = () =>
  createClient(server.origin, 'anon', {
    accessToken: async () => null,
    global: {
      fetch: (input, init) => {
        // It sets one of its own, and Rust the one of the session.
        const headers = new Headers(init?.headers);
        headers.delete('authorization');
        return fetch(input, { ...init, headers });
      },
    },
  });

it('reads and writes rows as the user', async () => {
  const todos = client().from('todos');
  expect(await todos.select()).toMatchObject({ data: [{ id: 1 }], error: null, status: 200 });
  expect(await todos.insert({ title: 'a' }).select()).toMatchObject({ data: [{ id: 1 }], error: null });
  expect(server.received).toMatchObject([
    { method: 'GET', path: '/rest/v1/todos?select=*' },
    { method: 'POST', body: '{"title":"a"}' },
  ]);
});

it('uploads a file', async () => {
  const bucket = client().storage.from('avatars');
  const { data, error } = await bucket.upload('ada.png', new Blob(['content'], { type: 'image/png' }));
  expect([error, data?.path]).toEqual([null, 'ada.png']);
  expect(server.received[0]?.body).toContain('content');
});

it('P4 gets no token, and is refused where it sets one', async () => {
  vi.spyOn(console, 'warn').mockImplementation(() => {});
  const plain = createClient(server.origin, 'anon', { accessToken: async () => null, global: { fetch } });
  // Not a GET, which it would repeat for seconds.
  const { error } = await plain.from('todos').insert({ title: 'a' });
  expect(error).not.toBeNull();
  expect(server.received).toEqual([]);
});
