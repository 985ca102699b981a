// A Vuex plugin that shows a session.

import type { Session, Snapshot } from '../session/session.js';

/** The part of a Vuex store that is used. Vuex 4 hides its own types from resolvers that go by `exports`. */
interface SessionStore {
  registerModule(name: string, module: object): void;
  hasModule(name: string): boolean;
  commit(type: string, payload: Snapshot): void;
}

/**
 * Makes a plugin for `createStore({ plugins: [...] })`. It registers a namespaced module whose state is
 * `{ snapshot }`, with the getter `isSignedIn`.
 *
 * A Vuex store lives as long as the page. One that does not: after `store.unregisterModule(name)` the session is let go of
 * with its next change.
 *
 * The one mutation carries the snapshot. No token is in it: state and payloads of a store reach plugins and devtools.
 *
 * @param name The name of the module.
 */
export function sessionModule(session: Pick<Session, 'getSnapshot' | 'listen'>, name = 'session') {
  return (store: SessionStore): void => {
    store.registerModule(name, {
      namespaced: true,
      state: () => ({ snapshot: session.getSnapshot() }),
      getters: { isSignedIn: (state: { snapshot: Snapshot }) => state.snapshot.status === 'signedIn' },
      mutations: {
        changed(state: { snapshot: Snapshot }, snapshot: Snapshot) {
          state.snapshot = snapshot;
        },
      },
    });
    const end = session.listen((snapshot) => {
      if (store.hasModule(name)) store.commit(`${name}/changed`, snapshot);
      else end();
    });
  };
}
