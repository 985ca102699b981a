import { followsSession } from './page.mjs';

const { createApp, defineComponent, h } = await import('vue');
const { useSession } = await import('tauri-plugin-secure-token-api/vue');

await followsSession((session, view) => {
  const app = createApp(
    defineComponent({
      setup: () => ({ snapshot: useSession(session) }),
      render() {
        return h('p', this.snapshot.status);
      },
    }),
  );
  app.mount(view);
  return () => app.unmount();
});
