// What is bundled and what stays outside: shared by the build and the size check.

/** The entries of the package by name. */
export const entries = {
  index: 'guest-js/index.ts',
  angular: 'guest-js/bindings/angular.ts',
  'angular-http': 'guest-js/requests/angular-http.ts',
  axios: 'guest-js/requests/axios.ts',
  'keep-fresh': 'guest-js/session/keep-fresh.ts',
  migrate: 'guest-js/storage/migrate.ts',
  native: 'guest-js/requests/native.ts',
  outbox: 'guest-js/session/outbox.ts',
  pinia: 'guest-js/bindings/pinia.ts',
  react: 'guest-js/bindings/react.ts',
  solid: 'guest-js/bindings/solid.ts',
  storage: 'guest-js/storage/storage.ts',
  svelte: 'guest-js/bindings/svelte.ts',
  testing: 'guest-js/testing/testing.ts',
  vue: 'guest-js/bindings/vue.ts',
  vuex: 'guest-js/bindings/vuex.ts',
};

/** The language level of what is built: that of the script that Tauri itself runs in every page. */
export const ecmaLevel = 'es2019';

/** Options of Rolldown. Dependencies and frameworks are never bundled. */
export const inputOptions = {
  external: [
    '@angular/core/rxjs-interop',
    '@tauri-apps/api/core',
    'axios',
    'pinia',
    'react',
    'rxjs',
    'solid-js',
    'svelte/reactivity',
    'vue',
  ],
  resolve: { extensionAlias: { '.js': ['.ts'] } },
  platform: 'browser',
  // The owner in JavaScript is loaded on demand by the session, and at once by the entry for tests.
  checks: { ineffectiveDynamicImport: false },
  tsconfig: 'tsconfig.build.json',
  transform: { target: ecmaLevel },
};
