// ofetch with createAuthFetch as its fetch.

import { createFetch } from 'ofetch';
import { describe } from 'vitest';
import { createAuthFetch } from '../../../requests/fetch.js';
import { keyStore } from '../../support/project.js';
import { type Traits, testClient } from './contract.js';
import { testRefusals } from './refusals.js';

const traits: Traits = {
  connect(authFetch) {
    const client = createFetch({ fetch: authFetch, defaults: { ignoreResponseError: true } });
    return {
      async send(url, { request, json, form, stream, method, signal } = {}) {
        const response = await client.raw(request ?? url, {
          responseType: 'text',
          ...(method && { method }),
          ...((json ?? form ?? stream) && { body: json ?? form ?? stream }),
          ...(signal && { signal }),
        });
        return { status: response.status, text: response._data ?? '' };
      },
      open: (url) => client(url, { responseType: 'stream' }),
    };
  },
  keepsStreams: false,
  // A FetchError, whose cause is that of the fetch.
  reason: ({ cause }) => cause,
};

testClient(traits);

if (keyStore) describe('over a native session', () => testClient({ ...traits, native: true }));

const ofetchWith = (authFetch: typeof fetch, init?: object) => {
  const client = createFetch({ fetch: authFetch, defaults: { ignoreResponseError: true, retry: 0 } });
  return (url: string, body?: object) =>
    client.raw(url, { responseType: 'text', ...(body && { method: 'POST', body }), ...init });
};

testRefusals({
  connect: (session, options) => ofetchWith(createAuthFetch(session, options)),
  once: (session, options) => ofetchWith(createAuthFetch(session, options), { repeat: false }),
  reason: ({ cause }) => cause,
});
