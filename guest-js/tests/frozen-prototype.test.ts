// Tauri's freezePrototype freezes Object.prototype before the page runs: all of it must work then.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createPinia } from 'pinia';
import { beforeAll, expect, it } from 'vitest';
import { createStore } from 'vuex';
import { FakeVault, rejection } from './fake-vault.js';
import { freshPage, until, untilPersisted } from './helpers.js';

beforeAll(() => {
  Object.freeze(Object.prototype);
});

it('session, fetch, errors and bindings', async () => {
  const { createAuthFetch, createSession, getToken } = await freshPage();
  const { defineSessionStore } = await import('../pinia.js');
  const { sessionModule } = await import('../vuex.js');
  const vault = new FakeVault({ default: { token: 't1' } });
  const session = createSession({ refresh: async () => ({ token: 't2' }) });
  const pinia = defineSessionStore(session)(createPinia());
  const vuex = createStore({ plugins: [sessionModule(session)] });
  const server = createServer((request, response) => {
    response.writeHead(request.headers.authorization === 'Bearer t2' ? 204 : 401).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  const response = await createAuthFetch(session, { origins: [origin] })(`${origin}/me`);
  expect(response.status).toBe(204);
  await untilPersisted(session);
  expect(pinia.isSignedIn).toBe(true);
  expect(vuex.getters['session/isSignedIn']).toBe(true);
  await pinia.logout();
  expect(vault.records.size).toBe(0);
  vault.fail('get_token', rejection('locked'));
  await expect(getToken()).rejects.toMatchObject({ name: 'SecureTokenError', code: 'locked' });
  server.close();
});

it('refresh ahead of time and outbox', async () => {
  const { createSession } = await freshPage();
  const { keepFresh } = await import('../keep-fresh.js');
  const { createOutbox } = await import('../outbox.js');
  const vault = new FakeVault({ default: { token: 't1', expiresAt: 1 } });
  let isAway = true;
  const revoke = async () => {
    if (isAway) throw Object.assign(new Error('away'), { status: 503 });
  };
  const outbox = createOutbox({ revoke });
  const session = createSession({ refresh: async () => ({ token: 't2' }), revoke: outbox.revoke });
  const end = keepFresh(session);
  await until(() => expect(session.getToken()).toBe('t2'));
  end();
  await session.logout();
  await until(() => expect([...vault.records.keys()]).toEqual(['revoke-outbox/default']));
  isAway = false;
  outbox.dispose();
  createOutbox({ revoke });
  await until(() => expect(vault.records.size).toBe(0));
});
