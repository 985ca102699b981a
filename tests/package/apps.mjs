// Apps around the package: with the oldest and the newest versions that each binding works with.

const angular = (version) =>
  Object.fromEntries(
    ['common', 'compiler', 'core', 'platform-browser'].map((name) => [`@angular/${name}`, version]),
  );

/** The apps by name. `runs` are the scripts in `page/` that have to work there. */
export const apps = {
  oldest: {
    versions: {
      ...angular('16.0.0'),
      axios: '1.12.0',
      pinia: '2.0.0',
      react: '18.0.0',
      'react-dom': '18.0.0',
      rxjs: '7.4.0',
      'solid-js': '1.1.0',
      svelte: '5.7.0',
      vue: '3.2.0',
      vuex: '4.0.0',
      'zone.js': '0.13.0',
    },
    runs: ['angular', 'axios', 'pinia', 'react', 'solid', 'svelte', 'vue', 'vuex'],
  },
  'vue-2': { versions: { vue: '2.7.0', vuex: '3.2.0' }, runs: ['vue2', 'vuex3'] },
  'angular-20.1': { versions: { ...angular('20.1.0'), rxjs: '7.4.0' }, runs: ['angular-http'] },
  newest: {
    versions: {
      ...angular('22.2.6'),
      axios: '1.21.1',
      pinia: '4.1.0',
      react: '19.3.1',
      'react-dom': '19.3.1',
      rxjs: '7.8.2',
      'solid-js': '1.9.19',
      svelte: '5.57.3',
      vue: '3.5.45',
      vuex: '4.1.0',
    },
    runs: ['angular', 'angular-http', 'axios', 'pinia', 'react', 'solid', 'svelte', 'vue', 'vuex'],
  },
  'too-old': {
    versions: { ...angular('20.0.0'), axios: '1.11.0', rxjs: '7.4.0' },
    runs: ['refuses-old'],
  },
};

/** Versions that no binding works with, and some that no range takes in: an app may have them beside the package. */
export const bystanders = {
  'old-versions': {
    '@angular/core': '15.0.0',
    axios: '0.27.0',
    pinia: '2.0.0',
    react: '17.0.0',
    rxjs: '6.5.3',
    'solid-js': '0.26.0',
    svelte: '4.0.0',
    vue: '2.6.14',
    vuex: '2.5.0',
    'zone.js': '0.11.4',
  },
  prereleases: { react: '19.0.0-rc.1', svelte: '5.0.0-next.1', vue: '3.6.0-rc.1' },
};

/** The apps above whose versions the page of a framework in `docs/frameworks/` names. */
export const documented = {
  angular: { package: '@angular/core', apps: ['oldest', 'angular-20.1', 'newest'] },
  axios: { package: 'axios', apps: ['oldest', 'newest'] },
  pinia: { package: 'pinia', apps: ['oldest', 'newest'] },
  react: { package: 'react', apps: ['oldest', 'newest'] },
  solid: { package: 'solid-js', apps: ['oldest', 'newest'] },
  svelte: { package: 'svelte', apps: ['oldest', 'newest'] },
  vue: { package: 'vue', apps: ['vue-2', 'oldest', 'newest'] },
  vuex: { package: 'vuex', apps: ['vue-2', 'oldest', 'newest'] },
};
