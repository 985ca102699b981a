import { followsSession } from './page.mjs';

const { default: Vue } = await import('vue');
const { useSession } = await import('tauri-plugin-secure-token-api/vue');

Vue.config.productionTip = false;
await followsSession((session, view) => {
  const root = view.appendChild(document.createElement('div'));
  const app = new Vue({
    setup: () => ({ snapshot: useSession(session) }),
    render(h) {
      return h('p', this.snapshot.status);
    },
  }).$mount(root);
  return () => app.$destroy();
});
