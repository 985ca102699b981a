// Angular's HttpClient with withFetch(), in a page whose fetch is that of a native session for the API.

import '@angular/compiler';
import { HttpClient, provideHttpClient, withFetch, withNoXsrfProtection } from '@angular/common/http';
import { createApplication } from '@angular/platform-browser';
import { Window } from 'happy-dom';
import { firstValueFrom } from 'rxjs';
import { beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import { testProviders } from '../bindings/angular-app.js';
import { FakeVault } from '../support/fake-vault.js';
import { until } from '../support/helpers.js';
import { NativeSide } from '../support/native-side.js';
import { serve, serveApi } from '../support/servers.js';

// An application wants a document. Everything else is Node's.
Object.assign(globalThis, { document: new Window().document });

let start: (origin: string, refresh?: () => Promise<{ token: string }>) => Promise<HttpClient>;

beforeEach(async () => {
  // "Angular is running in development mode."
  vi.spyOn(console, 'log').mockImplementation(() => {});
  vi.resetModules();
  const { createNativeSession } = await import('../../requests/native.js');
  const vault = new FakeVault({ default: { token: 'SECRET-1', refreshToken: 'SECRET-r1' } });
  start = async (origin, refresh) => {
    new NativeSide(vault, { origins: [origin], refresh });
    const session = createNativeSession();
    const pages = globalThis.fetch;
    vi.stubGlobal('fetch', (input: RequestInfo | URL, init?: RequestInit) =>
      `${input}`.startsWith(`${origin}/`) && isPages(init) ? session.fetch(input, init) : pages(input, init),
    );
    onTestFinished(() => void vi.unstubAllGlobals());
    const app = await createApplication({
      providers: [...testProviders, provideHttpClient(withFetch(), withNoXsrfProtection())],
    });
    onTestFinished(() => app.destroy());
    return app.injector.get(HttpClient);
  };
});

/** The stand-in for Rust sends with Node's fetch, and sets a token. */
const isPages = (init?: RequestInit) => !new Headers(init?.headers).has('authorization');

it('a GET and a POST carry the token', async () => {
  const api = await serve(({ authorization, body }, response) =>
    response.end(JSON.stringify({ authorization, body })),
  );
  const http = await start(api.origin);
  expect(await firstValueFrom(http.get(`${api.origin}/me`))).toMatchObject({
    authorization: 'Bearer SECRET-1',
  });
  const posted = http.post(`${api.origin}/me`, { name: 'Ada' });
  expect(await firstValueFrom(posted)).toMatchObject({ body: '{"name":"Ada"}' });
});

it('a 401 is repeated after the refresh of Rust', async () => {
  const api = await serveApi('SECRET-2');
  const refresh = vi.fn(async () => ({ token: 'SECRET-2' }));
  const http = await start(api.origin, refresh);
  expect(await firstValueFrom(http.get(`${api.origin}/me`, { responseType: 'text' }))).toBe('hello');
  expect(refresh).toHaveBeenCalledTimes(1);
});

it('who unsubscribes ends the request', async () => {
  const closed = vi.fn();
  const api = await serve((_, response) => void response.on('close', closed));
  const http = await start(api.origin);
  const subscription = http.get(`${api.origin}/me`).subscribe();
  await until(() => expect(api.received).toHaveLength(1));
  subscription.unsubscribe();
  await until(() => expect(closed).toHaveBeenCalled());
});
