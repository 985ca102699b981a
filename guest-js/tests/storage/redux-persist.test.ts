// redux-persist over the storage, with the real Redux.

import { legacy_createStore as createStore, type UnknownAction } from 'redux';
import { type PersistConfig, persistReducer, persistStore, type WebStorage } from 'redux-persist';
import { beforeEach, expect, it, vi } from 'vitest';
import { FakeVault, rejection } from '../support/fake-vault.js';
import { settle, until } from '../support/helpers.js';
import { freshStorage, kept, stored } from './page.js';

interface State {
  user: string;
}

const text = (user: string) =>
  JSON.stringify({ user: JSON.stringify(user), _persist: '{"version":-1,"rehydrated":true}' });
const KEY = 'persist:root';

let storage: WebStorage;
let vault: FakeVault;

beforeEach(async () => {
  vault = new FakeVault(stored({ [KEY]: text('ada') }));
  storage = (await freshStorage()).createSecureStorage();
});

function open(config: Partial<PersistConfig<State>> = {}) {
  const reducer = (state: State = { user: '' }, action: UnknownAction): State =>
    action.type === 'login' ? { user: String(action.user) } : state;
  const store = createStore(persistReducer({ key: 'root', storage, timeout: 0, ...config }, reducer));
  const persistor = persistStore(store);
  const ready = () => until(() => expect(persistor.getState().bootstrapped).toBe(true));
  return { store, persistor, ready };
}

it('rehydrates, stores, and purges', async () => {
  const { store, persistor, ready } = open();
  await ready();
  expect(store.getState().user).toBe('ada');
  store.dispatch({ type: 'login', user: 'bob' });
  await persistor.flush();
  expect(kept(vault, KEY)).toBe(text('bob'));
  persistor.pause();
  await persistor.purge();
  expect(vault.records.size).toBe(0);
});

it('P1 with timeout: 0 an unlock prompt of a minute does not start it empty', async () => {
  vi.useFakeTimers();
  const answer = vault.hold('get_token');
  const { store, persistor } = open();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(persistor.getState().bootstrapped).toBe(false);
  answer();
  await vi.advanceTimersByTimeAsync(0);
  expect(persistor.getState().bootstrapped).toBe(true);
  expect(store.getState().user).toBe('ada');
  await vi.advanceTimersByTimeAsync(1000);
  expect(kept(vault, KEY)).toBe(text('ada'));
});

it('P1 a rejected read does not overwrite what is stored, with a getItem that waits until it can', async () => {
  vault.fail('get_token', rejection('locked'));
  const asked = vi.fn();
  let unlocked = () => {};
  const { setItem, removeItem } = storage;
  const getItem = async (key: string): Promise<string | null> => {
    try {
      return await storage.getItem(key);
    } catch (error) {
      asked(error);
      await new Promise<void>((resolve) => {
        unlocked = resolve;
      });
      return getItem(key);
    }
  };
  const { store, ready } = open({ storage: { getItem, setItem, removeItem } });
  await until(() => expect(asked).toHaveBeenCalled());
  expect(asked.mock.calls[0]?.[0]).toMatchObject({ code: 'locked' });
  store.dispatch({ type: 'login', user: 'too early' });
  await settle();
  expect(vault.count('set_token')).toBe(0);
  unlocked();
  await ready();
  expect(store.getState().user).toBe('ada');
  expect(kept(vault, KEY)).toBe(text('ada'));
});

it('a failed write reaches writeFailHandler', async () => {
  vi.spyOn(console, 'error').mockImplementation(() => {});
  const writeFailHandler = vi.fn();
  const { store, persistor, ready } = open({ writeFailHandler });
  await ready();
  await persistor.flush();
  vault.fail('set_token', rejection('locked'));
  store.dispatch({ type: 'login', user: 'bob' });
  await persistor.flush();
  expect(writeFailHandler.mock.calls[0]?.[0]).toMatchObject({ name: 'SecureTokenError', code: 'locked' });
});
