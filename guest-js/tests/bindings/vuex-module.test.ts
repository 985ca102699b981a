// The Vuex binding, with the real Vuex.

import { beforeEach, describe, expect, it } from 'vitest';
import { isProxy, watch } from 'vue';
import { createStore } from 'vuex';
import { sessionModule } from '../../bindings/vuex.js';
import type { Snapshot } from '../../session/session.js';
import { FakeVault } from '../support/fake-vault.js';
import { freshPage } from '../support/helpers.js';

const TOKENS = { token: 'SECRET-token', refreshToken: 'SECRET-refresh' };

let createSession: typeof import('../../session/session.js').createSession;

beforeEach(async () => {
  ({ createSession } = await freshPage());
  new FakeVault();
});

/** What the module adds to the state of the store. */
interface State {
  session: { snapshot: Snapshot };
}

it('follows the session, in strict mode', async () => {
  const session = createSession();
  const store = createStore<State>({ strict: true, plugins: [sessionModule(session)] });
  expect(store.state.session.snapshot).toBe(session.getSnapshot());
  await session.login(TOKENS);
  expect(store.state.session.snapshot).toBe(session.getSnapshot());
  expect(store.getters['session/isSignedIn']).toBe(true);
  await session.logout();
  expect(store.getters['session/isSignedIn']).toBe(false);
});

it('is reactive', async () => {
  const session = createSession();
  await session.ready();
  const store = createStore<State>({ plugins: [sessionModule(session)] });
  const seen: string[] = [];
  watch(
    () => store.state.session.snapshot.status,
    (status) => seen.push(status),
    { flush: 'sync' },
  );
  await session.login(TOKENS);
  await session.logout();
  expect(seen).toEqual(['signedIn', 'signedOut']);
});

it('does not wrap the frozen snapshot', () => {
  const store = createStore<State>({ plugins: [sessionModule(createSession())] });
  expect(isProxy(store.state.session.snapshot)).toBe(false);
});

it('has the name that is asked for, beside the modules of the app', async () => {
  const session = createSession();
  const store = createStore({ state: { own: 1 }, plugins: [sessionModule(session, 'work')] });
  await session.login(TOKENS);
  expect(store.getters['work/isSignedIn']).toBe(true);
  expect(store.state).toMatchObject({ own: 1, work: { snapshot: { status: 'signedIn' } } });
});

describe('P4 the token reaches nobody who looks at the store', () => {
  it('neither state nor mutation payloads', async () => {
    const heard: unknown[] = [];
    const session = createSession({ refresh: async () => ({ token: 'SECRET-next' }) });
    const store = createStore<State>({ plugins: [sessionModule(session)] });
    store.subscribe((mutation, state) => heard.push(mutation, JSON.stringify(state)));
    await session.login(TOKENS);
    await session.refresh();
    await session.logout();
    expect(JSON.stringify(heard)).toContain('session/changed');
    expect(JSON.stringify([heard, store.state, store.getters])).not.toContain('SECRET');
  });
});
