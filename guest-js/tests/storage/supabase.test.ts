// supabase-js over the storage, against a local server.

import { createClient, type SupabaseClient } from '@supabase/supabase-js';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { SecureStorage } from '../../storage/storage.js';
import { FakeVault, rejection } from '../support/fake-vault.js';
import { until } from '../support/helpers.js';
import { type GoTrue, quiet, serveGoTrue } from './gotrue.js';
import { freshStorage, kept } from './page.js';

const KEY = 'session';
const ADA = { email: 'ada@example.com', password: 'right' };

let vault: FakeVault;
let storage: SecureStorage;
let server: GoTrue;
let clients: SupabaseClient[];

beforeEach(async () => {
  // The client looks for it when it is made, and Node 20 has none. Nothing here connects.
  vi.stubGlobal('WebSocket', class {});
  vault = new FakeVault();
  storage = (await freshStorage()).createSecureStorage({ namespace: 'supabase' });
  server = await serveGoTrue();
  clients = [];
});

afterEach(async () => {
  vi.unstubAllGlobals();
  for (const { auth } of clients) await auth.stopAutoRefresh();
});

/** A client as the app makes it at its start. */
function start(): SupabaseClient {
  const client = createClient(server.origin, 'anon', {
    auth: { storage, storageKey: KEY, persistSession: true, detectSessionInUrl: false },
  });
  clients.push(client);
  return client;
}

const signIn = async (client = start()) => {
  const { data, error } = await client.auth.signInWithPassword(ADA);
  expect(error).toBeNull();
  return { client, session: data.session };
};

const inStore = () => JSON.parse(kept(vault, KEY, 'supabase') ?? 'null');

it('a login is stored, and the next start is signed in without the network', async () => {
  await signIn();
  expect(inStore()).toMatchObject({ access_token: 'a1.e30.s', refresh_token: 'r1' });
  server.offline = true;
  const { data } = await start().auth.getSession();
  expect(data.session?.access_token).toBe('a1.e30.s');
});

it('a wrong password stores nothing', async () => {
  const { error } = await start().auth.signInWithPassword({ ...ADA, password: 'wrong' });
  expect(error?.code).toBe('invalid_credentials');
  expect(vault.records.size).toBe(0);
});

it('a login that cannot be stored is not called a success', async () => {
  vault.fail('set_token', rejection('locked'));
  await expect(start().auth.signInWithPassword(ADA)).rejects.toMatchObject({
    name: 'SecureTokenError',
    code: 'locked',
  });
});

it('a refresh is stored before anybody gets its token, and three callers cost one', async () => {
  server = await serveGoTrue(1);
  const { client } = await signIn();
  const sessions = await Promise.all([1, 2, 3].map(() => client.auth.getSession()));
  expect(sessions.map(({ data }) => data.session?.refresh_token)).toEqual(['r2', 'r2', 'r2']);
  expect(inStore().refresh_token).toBe('r2');
  expect(server.count('/auth/v1/token?grant_type=refresh_token')).toBe(1);
});

describe('sign-out', () => {
  it('P3 leaves nothing stored, and tells the server', async () => {
    const { client } = await signIn();
    expect(await client.auth.signOut()).toEqual({ error: null });
    expect(vault.records.size).toBe(0);
    expect(server.count('/auth/v1/logout')).toBe(1);
    expect((await start().auth.getSession()).data.session).toBeNull();
  });

  it('P3 offline leaves nothing stored, when the storage is cleared after the error', async () => {
    quiet();
    const { client } = await signIn();
    server.offline = true;
    const { error } = await client.auth.signOut();
    expect(error?.name).toBe('AuthRetryableFetchError');
    await storage.clear();
    expect(vault.records.size).toBe(0);
    expect((await client.auth.getSession()).data.session).toBeNull();
    expect((await start().auth.getSession()).data.session).toBeNull();
  });

  it('P3 during a refresh: its late answer is not stored', async () => {
    server = await serveGoTrue(1);
    const { client } = await signIn();
    const answer = server.holdRefresh();
    const refreshing = client.auth.refreshSession();
    await until(() => expect(server.count('/auth/v1/token?grant_type=refresh_token')).toBe(1));
    await storage.clear();
    answer();
    await refreshing;
    expect(vault.records.size).toBe(0);
  });
});

describe('P1 a locked store', () => {
  it('is met before the client is made, which is made once it can be read', async () => {
    await signIn();
    const before = inStore();
    vault.fail('get_token', rejection('locked'));
    const startWhenReadable = async () => {
      await storage.getItem(KEY);
      return start();
    };
    await expect(startWhenReadable()).rejects.toMatchObject({ name: 'SecureTokenError', code: 'locked' });
    const { data } = await (await startWhenReadable()).auth.getSession();
    expect(data.session?.refresh_token).toBe('r1');
    expect(inStore()).toEqual(before);
  });

  it('later is an error of getSession, no sign-out, and nothing is deleted', async () => {
    const { client } = await signIn();
    const before = inStore();
    const events = vi.fn();
    const { data } = client.auth.onAuthStateChange((event) => events(event));
    await until(() => expect(events).toHaveBeenCalledWith('INITIAL_SESSION'));
    const removals = vault.count('clear_token');
    vault.fail('get_token', rejection('locked'));
    await expect(client.auth.getSession()).rejects.toMatchObject({ code: 'locked' });
    expect(events.mock.calls).toEqual([['INITIAL_SESSION']]);
    expect(vault.count('clear_token')).toBe(removals);
    expect(inStore()).toEqual(before);
    expect((await client.auth.getSession()).data.session?.refresh_token).toBe('r1');
    data.subscription.unsubscribe();
  });
});
