// ky with createAuthFetch as its fetch.

import ky from 'ky';
import { describe } from 'vitest';
import { createAuthFetch } from '../../../requests/fetch.js';
import { keyStore } from '../../support/project.js';
import { type Traits, testClient } from './contract.js';
import { testRefusals } from './refusals.js';

const traits: Traits = {
  connect(authFetch) {
    // The delay is that between the repetitions of ky's own, which it makes after what looks like a network error.
    const client = ky.create({ fetch: authFetch, throwHttpErrors: false, retry: { delay: () => 1 } });
    return {
      async send(url, { request, json, form, stream, method, signal } = {}) {
        const response = await client(request ?? url, {
          ...(method && { method }),
          ...(json && { json }),
          ...((form ?? stream) && { body: form ?? stream }),
          ...(signal && { signal }),
        });
        return { status: response.status, text: await response.text() };
      },
      async open(url) {
        return (await client(url)).body ?? new ReadableStream();
      },
    };
  },
  keepsStreams: true,
};

testClient(traits);

if (keyStore) describe('over a native session', () => testClient({ ...traits, native: true }));

const kyWith = (authFetch: typeof fetch, init?: object) => {
  const client = ky.create({ fetch: authFetch, throwHttpErrors: false, retry: 0, ...init });
  return (url: string, json?: object) => (json ? client.post(url, { json }) : client(url));
};

testRefusals({
  connect: (session, options) => kyWith(createAuthFetch(session, options)),
  once: (session, options) => kyWith(createAuthFetch(session, options), { repeat: false }),
});
