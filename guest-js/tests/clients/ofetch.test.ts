// ofetch with createAuthFetch as its fetch.

import { createFetch } from 'ofetch';
import { testClient } from './contract.js';

testClient({
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
});
