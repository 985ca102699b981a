// @vitest-environment happy-dom
// The Vuex binding, in a component that the real Vue renders.

import { createApp, defineComponent, h } from 'vue';
import { createStore, useStore } from 'vuex';
import { sessionModule } from '../../bindings/vuex.js';
import type { Snapshot } from '../../session/session.js';
import { followsSession, label, TOKENS } from './contract.js';

/** What the module adds to the state of the store. */
interface State {
  session: { snapshot: Snapshot };
}

followsSession((session) => {
  const store = createStore<State>({ strict: true, plugins: [sessionModule(session)] });
  const heard: unknown[] = [];
  store.subscribe((mutation) => heard.push(mutation));
  store.subscribeAction((action) => heard.push(action));
  const root = document.createElement('div');
  const app = createApp(
    defineComponent(() => {
      const { state } = useStore<State>();
      return () => h('p', label(state.session.snapshot));
    }),
  );
  app.use(store).mount(root);
  return {
    text: () => root.textContent,
    unmount: () => {
      app.unmount();
      store.unregisterModule('session');
      // Vuex tells nobody that a module is gone; the next change shows it.
      void session.login(TOKENS);
    },
    exposed: () => [heard, store.state, store.getters],
  };
});
