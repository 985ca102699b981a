// Starts the page, or says why it cannot.

import { createPinia } from 'pinia';
import { createApp } from 'vue';

try {
  // Loaded late, because it asks the app where the API is.
  const { default: App } = await import('./App.vue');
  createApp(App).use(createPinia()).mount('#app');
} catch (cause) {
  document.body.textContent = `The demo could not start: ${cause instanceof Error ? cause.message : cause}`;
}
