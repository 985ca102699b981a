// What is bundled and what stays outside: shared by the build and the size check.

/** The entries of the package by name. */
export const entries = {
  index: 'guest-js/index.ts',
  angular: 'guest-js/angular.ts',
  'angular-http': 'guest-js/angular-http.ts',
  axios: 'guest-js/axios.ts',
  'keep-fresh': 'guest-js/keep-fresh.ts',
  migrate: 'guest-js/migrate.ts',
  outbox: 'guest-js/outbox.ts',
  pinia: 'guest-js/pinia.ts',
  react: 'guest-js/react.ts',
  solid: 'guest-js/solid.ts',
  storage: 'guest-js/storage.ts',
  svelte: 'guest-js/svelte.ts',
  vue: 'guest-js/vue.ts',
  vuex: 'guest-js/vuex.ts',
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
  tsconfig: 'tsconfig.build.json',
  transform: { target: ecmaLevel },
};
