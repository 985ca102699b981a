// What the tests import from code blocks of the documentation, see plugin.mjs.

declare module 'docs:auth' {
  import type { Session, Tokens } from '../../session/session.js';

  export const session: Session;
  export const authFetch: typeof fetch;
  export function login(user: string, password: string): Promise<void>;
  export function post(path: string, body: object, signal?: AbortSignal | null): Promise<Response>;
  export function tokensOf(response: Response): Promise<Tokens>;
}

declare module 'docs:store' {
  import type { Plugin } from 'vue';

  export const store: Plugin;
}

declare module 'docs:frameworks/vue.md' {
  import type { Component } from 'vue';

  const component: Component;
  export default component;
}

declare module 'docs:frameworks/pinia.md' {
  export { default } from 'docs:frameworks/vue.md';
}

declare module 'docs:frameworks/vuex.md' {
  export { default } from 'docs:frameworks/vue.md';
}

declare module 'docs:frameworks/react.md' {
  import type { FunctionComponent } from 'react';

  export const Account: FunctionComponent;
}

declare module 'docs:frameworks/svelte.md' {
  import type { Component } from 'svelte';

  const component: Component;
  export default component;
}

declare module 'docs:frameworks/angular.md' {
  import type { Type } from '@angular/core';

  export const Account: Type<unknown>;
}

declare module 'docs:*.test';
