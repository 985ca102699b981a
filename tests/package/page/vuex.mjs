import { followsSession } from './page.mjs';

const { createApp, defineComponent, h } = await import('vue');
const { createStore, useStore } = await import('vuex');
const { sessionModule } = await import('tauri-plugin-secure-token-api/vuex');

await followsSession((session, view) => {
  const store = createStore({ strict: true, plugins: [sessionModule(session)] });
  const app = createApp(
    defineComponent(() => {
      const { state } = useStore();
      return () => h('p', state.session.snapshot.status);
    }),
  );
  app.use(store).mount(view);
  return async () => {
    app.unmount();
    store.unregisterModule('session');
    // Vuex tells nobody that a module is gone; the next change shows it.
    await session.login({ token: 'next' });
  };
});
