import assert from 'node:assert/strict';
import { refusesFirstToken } from './server.mjs';

// An application wants a document. Everything else is Node's, fetch above all.
const { Window } = await import('happy-dom');
globalThis.document = new Window().document;

const core = await import('@angular/core');
await import('@angular/compiler');
const { createApplication } = await import('@angular/platform-browser');
const { HttpClient, provideHttpClient, withFetch, withInterceptors, withNoXsrfProtection } = await import(
  '@angular/common/http'
);
const { firstValueFrom } = await import('rxjs');
const { createSession } = await import('tauri-plugin-secure-token-api');
const { sessionInterceptor } = await import('tauri-plugin-secure-token-api/angular-http');

const { origin, close } = await refusesFirstToken();
const session = createSession({ refresh: async () => ({ token: 'second' }) });
await session.login({ token: 'first' });
const app = await createApplication({
  providers: [
    core.provideZonelessChangeDetection(),
    provideHttpClient(
      withFetch(),
      withInterceptors([sessionInterceptor(session, { origins: [origin] })]),
      withNoXsrfProtection(),
    ),
  ],
});
const http = app.injector.get(HttpClient);
const text = { responseType: 'text' };
assert.equal(await firstValueFrom(http.post(`${origin}/me`, { name: 'Ada' }, text)), 'hello');
await assert.rejects(firstValueFrom(http.get(`${origin}/redirect`, text)));
app.destroy();
session.dispose();
close();
