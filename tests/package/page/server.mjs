// An API that accepts the second token only, and redirects whoever asks for it.
import { once } from 'node:events';
import { createServer } from 'node:http';

export async function refusesFirstToken() {
  const server = createServer(({ url, headers }, response) => {
    if (url === '/redirect') response.writeHead(302, { location: '/me' }).end();
    else response.writeHead(headers.authorization === 'Bearer second' ? 200 : 401).end('hello');
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return { origin: `http://127.0.0.1:${server.address().port}`, close: () => server.close() };
}
