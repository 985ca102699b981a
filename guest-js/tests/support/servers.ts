// Real HTTP servers on the loopback interface that keep what reached them.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';

export interface Received {
  method: string;
  path: string;
  authorization: string | undefined;
  type: string | undefined;
  body: string;
}

export interface TestServer {
  origin: string;
  received: Received[];
}

type Answer = (request: Received, response: ServerResponse, index: number) => void;

/** A server that ends with the test. */
export async function serve(answer: Answer): Promise<TestServer> {
  const received: Received[] = [];
  const server = createServer(async (request: IncomingMessage, response) => {
    const { method = '', url = '', headers } = request;
    const { authorization, 'content-type': type } = headers;
    const entry = { method, path: url, authorization, type, body: await text(request) };
    received.push(entry);
    answer(entry, response, received.length - 1);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, received };
}

/** An API that accepts one token. */
export function serveApi(accepted: string): Promise<TestServer> {
  return serve(({ authorization }, response) => {
    const ok = authorization === `Bearer ${accepted}`;
    response.writeHead(ok ? 200 : 401, ok ? {} : { 'www-authenticate': 'Bearer error="invalid_token"' });
    response.end(ok ? 'hello' : 'refused');
  });
}
