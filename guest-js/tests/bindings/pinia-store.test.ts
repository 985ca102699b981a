// The Pinia binding, with the real Pinia.

import { inspect } from 'node:util';
import { createPinia, type Pinia, storeToRefs } from 'pinia';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { computed, createApp, watch } from 'vue';
import { defineSessionStore } from '../../bindings/pinia.js';
import { FakeVault, rejection } from '../support/fake-vault.js';
import { freshPage } from '../support/helpers.js';
import { withStore } from '../support/project.js';

const TOKENS = { token: 'SECRET-token', refreshToken: 'SECRET-refresh' };

let createSession: typeof import('../../session/session.js').createSession;
let vault: FakeVault;
let pinia: Pinia;

beforeEach(async () => {
  ({ createSession } = await freshPage());
  vault = new FakeVault();
  pinia = createPinia();
  // Plugins run only for a Pinia that an app uses.
  createApp({}).use(pinia);
});

withStore('follows the session', async () => {
  const session = createSession();
  const store = defineSessionStore(session)(pinia);
  expect(store.status).toBe('hydrating');
  await session.ready();
  expect(store).toMatchObject({ status: 'signedOut', isSignedIn: false, persisted: true, error: undefined });
  await session.login({ ...TOKENS, expiresAt: 9_000_000_000_000 });
  expect(store).toMatchObject({
    status: 'signedIn',
    isSignedIn: true,
    persisted: true,
    expiresAt: 9_000_000_000_000,
    canRefresh: false,
    login: session.getSnapshot().login,
  });
  vault.fail('clear_token', rejection('denied'));
  await session.logout();
  expect(store).toMatchObject({
    status: 'signedOut',
    isSignedIn: false,
    persisted: false,
    expiresAt: undefined,
  });
  expect(store.error?.code).toBe('denied');
});

it('starts with what the session knows already', async () => {
  const session = createSession();
  await session.login(TOKENS);
  expect(defineSessionStore(session)(pinia).isSignedIn).toBe(true);
});

it('is reactive, through refs too', async () => {
  const session = createSession();
  await session.ready();
  const store = defineSessionStore(session)(pinia);
  const { isSignedIn } = storeToRefs(store);
  const label = computed(() => (isSignedIn.value ? 'in' : 'out'));
  const seen: string[] = [];
  watch(label, (value) => seen.push(value), { flush: 'sync' });
  await session.login(TOKENS);
  await store.logout();
  expect(seen).toEqual(['in', 'out']);
});

it('nobody but the session changes it', async () => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
  const session = createSession();
  await session.ready();
  const store = defineSessionStore(session)(pinia);
  Object.assign(store, { status: 'signedIn', isSignedIn: true });
  store.$patch({ status: 'signedIn', isSignedIn: true } as object);
  expect(store).toMatchObject({ status: 'signedOut', isSignedIn: false });
  expect(warn).toHaveBeenCalled();
});

it('has the id that is asked for', () => {
  const session = createSession();
  expect(defineSessionStore(session).$id).toBe('session');
  expect(defineSessionStore(session, 'work').$id).toBe('work');
});

it('stops listening when the store is disposed of', async () => {
  const session = createSession();
  await session.ready();
  const store = defineSessionStore(session)(pinia);
  store.$dispose();
  await session.login(TOKENS);
  expect(store.status).toBe('signedOut');
});

describe('P4 the token reaches nobody who looks at the store', () => {
  it('neither state, nor actions with their arguments and results, nor subscriptions, nor $patch', async () => {
    const heard: unknown[] = [];
    pinia.use(({ store }) => {
      store.$onAction((action) => {
        heard.push(action.name, action.args);
        action.after((result) => heard.push(result));
        action.onError((error) => heard.push(error));
      });
      store.$subscribe((mutation, state) => heard.push(mutation, state), { flush: 'sync' });
    });
    const session = createSession({ refresh: async () => ({ token: 'SECRET-next' }) });
    const store = defineSessionStore(session)(pinia);
    await session.login(TOKENS);
    heard.push(pinia.state.value, store.$state, { ...store });
    await session.refresh();
    await store.logout();
    expect(heard).toContain('logout');
    expect(inspect(heard, { depth: 9 })).not.toContain('SECRET');
    expect(Object.keys(pinia.state.value.session ?? {})).toEqual([]);
  });
});
