// What is bundled and what stays outside: shared by the build and the size check.

/** The entries of the package by name. */
export const entries = {
  index: 'guest-js/index.ts',
  'keep-fresh': 'guest-js/keep-fresh.ts',
  outbox: 'guest-js/outbox.ts',
  pinia: 'guest-js/pinia.ts',
  storage: 'guest-js/storage.ts',
  vuex: 'guest-js/vuex.ts',
};

/** Options of Rolldown. Dependencies and frameworks are never bundled. */
export const inputOptions = {
  external: ['@tauri-apps/api/core', 'pinia', 'vue', 'vuex'],
  resolve: { extensionAlias: { '.js': ['.ts'] } },
  platform: 'browser',
  tsconfig: 'tsconfig.json',
};
