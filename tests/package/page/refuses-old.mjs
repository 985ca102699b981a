// What an app hears whose axios and Angular are too old, instead of requests without a token or redirects with it.
import assert from 'node:assert/strict';

const { Window } = await import('happy-dom');
globalThis.document = new Window().document;

await import('@angular/compiler');
const { createApplication } = await import('@angular/platform-browser');
const { HttpClient, provideHttpClient, withFetch, withInterceptors, withNoXsrfProtection } = await import(
  '@angular/common/http'
);
const { provideZonelessChangeDetection } = await import('@angular/core');
const { default: axios } = await import('axios');
const { firstValueFrom } = await import('rxjs');
const { createSession } = await import('tauri-plugin-secure-token-api');
const { sessionInterceptor } = await import('tauri-plugin-secure-token-api/angular-http');
const { attachSession } = await import('tauri-plugin-secure-token-api/axios');

const options = { origins: ['http://127.0.0.1:1'] };
const session = createSession();
await session.login({ token: 'first' });

assert.throws(() => attachSession(axios.create(), session, options), /axios 1\.12 or later, not 1\.11\.0/);

const app = await createApplication({
  providers: [
    provideZonelessChangeDetection(),
    provideHttpClient(
      withFetch(),
      withInterceptors([sessionInterceptor(session, options)]),
      withNoXsrfProtection(),
    ),
  ],
});
const sending = firstValueFrom(app.injector.get(HttpClient).get(`${options.origins[0]}/me`));
await assert.rejects(sending, /Angular 20\.1 or later/);
app.destroy();
session.dispose();
