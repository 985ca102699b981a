// The component of docs/frameworks/vue.md, as the tests of docs/testing.md import it.

import type { Component } from 'vue';

declare const component: Component;
export default component;
