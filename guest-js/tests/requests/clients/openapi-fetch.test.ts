// openapi-fetch with createAuthFetch as its fetch.

import createClient from 'openapi-fetch';
import { describe } from 'vitest';
import { createAuthFetch } from '../../../requests/fetch.js';
import { keyStore } from '../../support/project.js';
import { type Traits, testClient } from './contract.js';
import { testRefusals } from './refusals.js';

interface Answers {
  responses: { 200: { content: { 'text/plain': string } }; 401: { content: { 'text/plain': string } } };
}

/** Written as `openapi-typescript` does. */
interface Paths {
  [path: string]: {
    get: Answers;
    post: Answers & { requestBody: { content: { 'application/json': unknown } } };
  };
}

/** openapi-fetch puts its base and a path together; the tests have whole addresses. */
function clientOf(url: string, authFetch: typeof fetch) {
  const { origin, pathname, search } = new URL(url);
  return { client: createClient<Paths>({ baseUrl: origin, fetch: authFetch }), path: pathname + search };
}

const traits: Traits = {
  connect: (authFetch) => ({
    async send(url, { request, json, form, stream, method, signal } = {}) {
      const { client, path } = clientOf(url, authFetch);
      if (request) client.use({ onRequest: () => request });
      const options = { parseAs: 'text', ...(signal && { signal }) } as const;
      const { data, error, response } =
        method === 'POST'
          ? await client.POST(path, {
              ...options,
              body: json ?? form ?? stream,
              // The default makes JSON of all but a form.
              ...(stream && { bodySerializer: () => stream, duplex: 'half' }),
            })
          : await client.GET(path, options);
      return { status: response.status, text: String(data ?? error) };
    },
    async open(url) {
      const { client, path } = clientOf(url, authFetch);
      const { data } = await client.GET(path, { parseAs: 'stream' });
      return data ?? new ReadableStream();
    },
  }),
  keepsStreams: true,
};

testClient(traits);

if (keyStore) describe('over a native session', () => testClient({ ...traits, native: true }));

const openapiWith = (authFetch: typeof fetch) => async (url: string, body?: object) => {
  const { client, path } = clientOf(url, authFetch);
  const { response } = body
    ? await client.POST(path, { body, parseAs: 'text' })
    : await client.GET(path, { parseAs: 'text' });
  return response;
};

testRefusals({ connect: (session, options) => openapiWith(createAuthFetch(session, options)) });
