import { followsSession } from './page.mjs';

const { createApp, defineComponent, h } = await import('vue');
const { createPinia } = await import('pinia');
const { defineSessionStore } = await import('tauri-plugin-secure-token-api/pinia');

await followsSession((session, view) => {
  const useStore = defineSessionStore(session);
  const pinia = createPinia();
  const app = createApp(
    defineComponent(() => {
      const store = useStore();
      return () => h('p', store.status);
    }),
  );
  app.use(pinia).mount(view);
  return () => {
    app.unmount();
    // A store outlives the components that use it.
    pinia._e.stop();
  };
});
