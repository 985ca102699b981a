import { followsSession } from './page.mjs';

const { default: Vue } = await import('vue');
const { default: Vuex } = await import('vuex');
const { sessionModule } = await import('tauri-plugin-secure-token-api/vuex');

Vue.config.productionTip = false;
Vue.use(Vuex);
await followsSession((session, view) => {
  const root = view.appendChild(document.createElement('div'));
  const store = new Vuex.Store({ strict: true, plugins: [sessionModule(session)] });
  const app = new Vue({
    store,
    render(h) {
      return h('p', this.$store.state.session.snapshot.status);
    },
  }).$mount(root);
  return async () => {
    app.$destroy();
    store.unregisterModule('session');
    // Vuex tells nobody that a module is gone; the next change shows it.
    await session.login({ token: 'next' });
  };
});
