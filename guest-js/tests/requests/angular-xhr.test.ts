// @vitest-environment happy-dom
// @vitest-environment-options { "settings": { "fetch": { "disableSameOriginPolicy": true } } }
// The interceptor for Angular over XMLHttpRequest, which HttpClient takes without withFetch().

import '@angular/compiler';
import {
  HttpClient,
  HttpEventType,
  provideHttpClient,
  withInterceptors,
  withNoXsrfProtection,
} from '@angular/common/http';
import { createApplication } from '@angular/platform-browser';
import { firstValueFrom, toArray } from 'rxjs';
import { expect, it, onTestFinished, vi } from 'vitest';
import { sessionInterceptor } from '../../requests/angular-http.js';
import { testProviders } from '../bindings/angular-app.js';
import { signedInPage } from '../support/project.js';
import { serveApi } from '../support/servers.js';

it('authorises, and sends once more after a 401; Angular warns that redirects cannot be refused', async () => {
  for (const method of ['log', 'error'] as const) vi.spyOn(console, method).mockImplementation(() => {});
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
  const { createSession } = await signedInPage({ token: 'SECRET-1' });
  const [server, other] = [await serveApi('SECRET-2'), await serveApi('SECRET-2')];
  const session = createSession({ refresh: async () => ({ token: 'SECRET-2' }) });
  const interceptor = sessionInterceptor(session, { origins: [server.origin] });
  const app = await createApplication({
    providers: [...testProviders, provideHttpClient(withInterceptors([interceptor]), withNoXsrfProtection())],
  });
  onTestFinished(() => app.destroy());
  const http = app.injector.get(HttpClient);
  const events = await firstValueFrom(
    http
      .post(`${server.origin}/me`, { name: 'Ada' }, { responseType: 'text', observe: 'events' })
      .pipe(toArray()),
  );
  expect(events.at(-1)).toMatchObject({ type: HttpEventType.Response, status: 200, body: 'hello' });
  expect(server.received.map(({ authorization, body }) => [authorization, body])).toEqual([
    ['Bearer SECRET-1', '{"name":"Ada"}'],
    ['Bearer SECRET-2', '{"name":"Ada"}'],
  ]);
  expect(warn.mock.calls.flat().join()).toMatch(/`redirect` option.*withFetch/);
  warn.mockClear();
  await firstValueFrom(http.get(other.origin)).catch(() => {});
  expect(other.received).toMatchObject([{ authorization: undefined }]);
  expect(warn).not.toHaveBeenCalled();
});
