// @vitest-environment happy-dom
// The Pinia binding, in a component that the real Vue renders.

import { createPinia, disposePinia } from 'pinia';
import { createApp, defineComponent, h } from 'vue';
import { defineSessionStore } from '../../bindings/pinia.js';
import { followsSession, label } from './contract.js';

/** The properties of a store, without those that Pinia adds. */
const shown = (store: object) => Object.entries(store).filter(([name]) => !/^[$_]/.test(name));

followsSession((session) => {
  const useStore = defineSessionStore(session);
  const pinia = createPinia();
  const heard: unknown[] = [];
  pinia.use(({ store }) => {
    store.$onAction((action) => {
      heard.push(action.name, action.args);
      action.after((result) => heard.push(result));
    });
    store.$subscribe((mutation, state) => heard.push(mutation, state), { flush: 'sync' });
  });
  const root = document.createElement('div');
  const app = createApp(
    defineComponent(() => {
      const store = useStore();
      return () => h('p', label(store));
    }),
  );
  app.use(pinia).mount(root);
  return {
    text: () => root.textContent,
    // A store outlives the components that use it.
    unmount: () => {
      app.unmount();
      disposePinia(pinia);
    },
    exposed: () => [heard, pinia.state.value, ...shown(useStore(pinia))],
  };
});
