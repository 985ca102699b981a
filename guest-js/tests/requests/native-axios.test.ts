// axios with the fetch of a native session in its fetch adapter.

import axios, { type AxiosInstance } from 'axios';
import { describe } from 'vitest';
import { testClient } from './clients/contract.js';

describe('over a native session', () =>
  testClient({
    native: true,
    connect(fetch) {
      const client: AxiosInstance = axios.create({
        adapter: 'fetch',
        env: { fetch },
        responseType: 'text',
        validateStatus: null,
        // That adapter names itself, which a page may not do everywhere.
        headers: { 'User-Agent': false },
      });
      return {
        async send(url, { request, json, form, stream, method, signal } = {}) {
          const { status, data } = await client.request({
            url: request?.url ?? url,
            method: request?.method ?? method ?? 'GET',
            data: json ?? form ?? stream ?? (await request?.text()) ?? null,
            ...(signal && { signal }),
          });
          return { status, text: data };
        },
        async open(url) {
          return (await client.get(url, { responseType: 'stream' })).data;
        },
      };
    },
    keepsStreams: true,
    // A signal makes a CanceledError of its own.
    reason: (error) => (axios.isCancel(error) ? new DOMException('canceled', 'AbortError') : error),
  }));
