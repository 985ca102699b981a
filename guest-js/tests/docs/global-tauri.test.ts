// @vitest-environment happy-dom
// The page without a bundler, as it stands in docs/with-global-tauri.md, over the api-iife.js that Tauri puts into it.

import { readFileSync } from 'node:fs';
import { Channel, invoke } from '@tauri-apps/api/core';
import { beforeEach, expect, it, vi } from 'vitest';
import * as main from '../../index.js';
import { errorCodes } from '../../ipc/errors.js';
import { FakeVault, rejection } from '../support/fake-vault.js';
import { until } from '../support/helpers.js';

const page = readFileSync('docs/with-global-tauri.md', 'utf8');
const block = (language: string) => page.match(new RegExp(`\`\`\`${language}\\n(.*?)\`\`\``, 's'))?.[1] ?? '';

interface Global {
  __TAURI__: { core: object; secureToken?: typeof main };
}

const global = globalThis as unknown as Global;

/** As WebKit runs the scripts of a page, each in a scope of its own. */
const run = (code: string) => new Function(code.replace('export const', 'const'))();

beforeEach(() => {
  global.__TAURI__ = { core: { Channel, invoke } };
  run(readFileSync('api-iife.js', 'utf8'));
  document.body.innerHTML = block('html').match(/<body>(.*)<\/body>/s)?.[1] ?? '';
  vi.stubGlobal('fetch', async (_input: unknown, init: RequestInit) =>
    JSON.parse(String(init.body)).password === 'right'
      ? Response.json({ access_token: 't1', expires_in: 3600 })
      : new Response(null, { status: 401 }),
  );
});

const shown = () =>
  [...document.querySelectorAll<HTMLElement>('button, form')]
    .filter((element) => !element.hidden && !element.closest('form[hidden]'))
    .map((element) => element.id || element.tagName);

const why = () => document.getElementById('why')?.textContent;

function logIn(password: string) {
  for (const [name, value] of Object.entries({ user: 'ada', password })) {
    const input = document.querySelector<HTMLInputElement>(`[name=${name}]`);
    if (input) input.value = value;
  }
  document.querySelector('form')?.dispatchEvent(new SubmitEvent('submit', { cancelable: true }));
}

it('the global has what the page says, which is the main entry', () => {
  const names = Object.keys(global.__TAURI__.secureToken ?? {});
  expect(names.sort()).toEqual(Object.keys(main).sort());
  for (const name of names) expect(page).toContain(`\`${name}\``);
});

it('logs in after a wrong password, and out', async () => {
  const vault = new FakeVault();
  run(block('js'));
  await until(() => expect(shown()).toEqual(['login', 'BUTTON']));
  logIn('wrong');
  await until(() => expect(why()).toContain('Is the password right?'));
  logIn('right');
  await until(() => expect(shown()).toEqual(['logout']));
  expect(vault.records.get('default')?.token).toBe('t1');
  document.getElementById('logout')?.click();
  await until(() => expect(shown()).toEqual(['login', 'BUTTON']));
  await until(() => expect(vault.records.size).toBe(0));
});

it.each(errorCodes)('with a key store that says %s there is a login form', async (code) => {
  const vault = new FakeVault({ default: { token: 't0' } });
  vi.spyOn(console, 'warn').mockImplementation(() => {});
  vault.fail('get_token', rejection(code), Infinity);
  run(block('js'));
  await until(() => expect(why()).toContain(code));
  const canTryAgain = ['locked', 'unavailable', 'timeout'].includes(code);
  expect(shown()).toEqual([...(canTryAgain ? ['again'] : []), 'login', 'BUTTON']);
  vault.recover();
  if (canTryAgain) document.getElementById('again')?.click();
  else logIn('right');
  await until(() => expect(shown()).toEqual(['logout']));
});

it('explains what is wrong also in one file', async () => {
  new FakeVault().fail('get_token', 'plugin secure-token not found');
  vi.spyOn(console, 'warn').mockImplementation(() => {});
  const { getToken, createSession } = global.__TAURI__.secureToken as typeof main;
  await expect(getToken()).rejects.toThrow('npm run tauri add secure-token');
  await expect(createSession().login({ access_token: 't' } as never)).rejects.toThrow(
    'token: response.access_token',
  );
});
