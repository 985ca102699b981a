// Builds the demo's two pages: the app, and the window without permission.

import vue from '@vitejs/plugin-vue';
import { defineConfig } from 'vite';

export default defineConfig({
  plugins: [vue()],
  clearScreen: false,
  // The address that `devUrl` in tauri.conf.json and the API's list of origins name.
  server: { host: 'localhost', port: 5173, strictPort: true },
  build: {
    target: 'es2022',
    rolldownOptions: { input: ['index.html', 'guest.html'] },
  },
});
