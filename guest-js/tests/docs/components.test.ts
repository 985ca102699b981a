// @vitest-environment happy-dom
// The components of the pages of the front ends, as they stand there, with a key store that cannot be read.

import '@angular/compiler';
import { createApplication } from '@angular/platform-browser';
import { createPinia } from 'pinia';
import { createElement } from 'react';
import { createRoot } from 'react-dom/client';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { type Component, createApp, type Plugin } from 'vue';
import type { ErrorCode } from '../../ipc/errors.js';
import { testProviders } from '../bindings/angular-app.js';
import { FakeVault, rejection } from '../support/fake-vault.js';
import { until } from '../support/helpers.js';

/** Puts a component into an element, and returns the function that takes it out. */
type Mount = (target: HTMLElement) => Promise<() => void>;

const vue =
  (load: () => Promise<{ default: Component }>, plugin?: () => Plugin | Promise<Plugin>): Mount =>
  async (target) => {
    const app = createApp((await load()).default);
    if (plugin) app.use(await plugin());
    app.mount(target);
    return () => app.unmount();
  };

const pages: [name: string, mount: Mount][] = [
  ['vue', vue(() => import('docs:frameworks/vue.md'))],
  ['pinia', vue(() => import('docs:frameworks/pinia.md'), createPinia)],
  [
    'vuex',
    vue(
      () => import('docs:frameworks/vuex.md'),
      async () => (await import('docs:store')).store,
    ),
  ],
  [
    'react',
    async (target) => {
      const { Account } = await import('docs:frameworks/react.md');
      const root = createRoot(target);
      root.render(createElement(Account));
      return () => root.unmount();
    },
  ],
  [
    'svelte',
    async (target) => {
      // Each test has its own copy of Svelte, as of all that Vite compiles.
      const { mount, unmount } = await import('svelte');
      const component = mount((await import('docs:frameworks/svelte.md')).default, { target });
      return () => void unmount(component);
    },
  ],
  [
    'angular',
    async (target) => {
      const { Account } = await import('docs:frameworks/angular.md');
      const app = await createApplication({ providers: testProviders });
      app.bootstrap(Account, target);
      return () => app.destroy();
    },
  ],
];

/** The API of the app: one user. */
async function api(_input: unknown, init?: RequestInit): Promise<Response> {
  const { password } = JSON.parse(String(init?.body));
  return password === 'right'
    ? Response.json({ access_token: 't1', refresh_token: 'r1', expires_in: 3600 })
    : Response.json({ error: 'invalid_grant' }, { status: 401 });
}

describe.each(pages)('the component of the page of %s', (_name, mountPage) => {
  let vault: FakeVault;

  beforeEach(() => {
    vi.resetModules();
    // "Angular is running in development mode", and that one component was defined again.
    for (const method of ['log', 'warn'] as const) vi.spyOn(console, method).mockImplementation(() => {});
    vi.stubGlobal('fetch', vi.fn(api));
    vault = new FakeVault({ default: { token: 't0' } });
  });

  async function open() {
    const target = document.createElement('main');
    document.body.append(target);
    const end = await mountPage(target);
    const { session } = await import('docs:auth');
    onTestFinished(() => {
      end();
      // It would go on trying to write, into the store of the next test.
      session.dispose();
      target.remove();
      vi.unstubAllGlobals();
    });
    const button = (text: string) =>
      [...target.querySelectorAll('button')].find((element) => element.textContent?.trim() === text);
    const type = (input: HTMLInputElement | null, value: string) => {
      if (!input) throw new Error('no such input');
      input.value = value;
      input.dispatchEvent(new Event('input', { bubbles: true }));
    };
    return {
      target,
      button,
      shows: (text: string) => until(() => expect(target.textContent).toContain(text)),
      async logIn(password: string) {
        await until(() => expect(target.querySelector('form')).not.toBeNull());
        const form = target.querySelector('form');
        type(target.querySelector('input:not([type=password])'), 'ada');
        type(target.querySelector('input[type=password]'), password);
        form?.dispatchEvent(new SubmitEvent('submit', { bubbles: true, cancelable: true }));
      },
    };
  }

  it.each<[ErrorCode, says: string]>([
    ['locked', 'Unlock it and try again, or log in'],
    ['timeout', 'Try again, or log in'],
    ['unavailable', 'until you close the app'],
  ])('%s: a login form, and a button that tries again', async (code, says) => {
    vault.fail('get_token', rejection(code), Infinity);
    const { target, button, shows } = await open();
    await shows(says);
    expect(target.querySelector('form')).not.toBeNull();
    vault.recover();
    button('Try again')?.click();
    await until(() => expect(button('Log out')).toBeDefined());
  });

  it.each<[ErrorCode, says: string]>([
    ['lost', 'can no longer be read. Please log in again'],
    ['corrupt', 'can no longer be read. Please log in again'],
    ['denied', 'does not let this app read'],
    ['internal', '(internal)'],
  ])('%s: a login form, and no button that never helps', async (code, says) => {
    vault.fail('get_token', rejection(code), Infinity);
    const { button, shows, logIn } = await open();
    await shows(says);
    expect(button('Try again')).toBeUndefined();
    await logIn('right');
    await until(() => expect(button('Log out')).toBeDefined());
    await until(() => expect(vault.records.get('default')?.token).toBe('t1'));
  });

  it('without a key store a login works all the same', async () => {
    vault.fail('get_token', rejection('unavailable'), Infinity);
    vault.fail('set_token', rejection('unavailable'), Infinity);
    const { button, logIn } = await open();
    await logIn('right');
    await until(() => expect(button('Log out')).toBeDefined());
  });

  it('a wrong password is said, and the next one works', async () => {
    vault.records.clear();
    const { button, shows, logIn } = await open();
    await logIn('wrong');
    await shows('Is the password right?');
    expect(vault.count('set_token')).toBe(0);
    await logIn('right');
    await until(() => expect(button('Log out')).toBeDefined());
  });
});
