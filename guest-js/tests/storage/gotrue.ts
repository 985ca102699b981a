// A server with the endpoints of Supabase Auth that a client calls to sign in, refresh and sign out.

import { vi } from 'vitest';
import { serve, type TestServer } from '../support/servers.js';

export interface GoTrue extends TestServer {
  /** How many requests were made to a path that begins so. */
  count(path: string): number;
  /** Holds the answer of the next refresh until the returned function is called. */
  holdRefresh(): () => void;
  /** Whether connections are cut, as without a network. */
  offline: boolean;
}

/** Signs in anybody whose password is right. Every refresh token is good for one use. */
export async function serveGoTrue(expiresIn = 3600): Promise<GoTrue> {
  let issued = 0;
  let held = Promise.resolve();
  const user = { id: '00000000-0000-4000-8000-000000000001', aud: 'authenticated', email: 'ada@example.com' };
  const issue = (lifetime: number) => {
    issued++;
    return {
      access_token: `a${issued}.e30.s`,
      refresh_token: `r${issued}`,
      token_type: 'bearer',
      expires_in: lifetime,
      user,
    };
  };
  const server = await serve(async ({ path, body }, response) => {
    const json = (status: number, value: object) => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
    };
    if (gotrue.offline) return void response.destroy();
    if (path === '/auth/v1/token?grant_type=password') {
      const ok = JSON.parse(body).password === 'right';
      return ok
        ? json(200, issue(expiresIn))
        : json(400, { error_code: 'invalid_credentials', msg: 'Invalid login credentials' });
    }
    if (path === '/auth/v1/token?grant_type=refresh_token') {
      const ok = JSON.parse(body).refresh_token === `r${issued}`;
      await held;
      return ok
        ? json(200, issue(3600))
        : json(400, { error_code: 'refresh_token_already_used', msg: 'Already Used' });
    }
    if (path.startsWith('/auth/v1/logout')) return void response.writeHead(204).end();
    json(404, { msg: 'not found' });
  });
  const gotrue: GoTrue = {
    ...server,
    offline: false,
    count: (path) => server.received.filter((request) => request.path.startsWith(path)).length,
    holdRefresh() {
      let open = () => {};
      held = new Promise((resolve) => {
        open = resolve;
      });
      return open;
    },
  };
  return gotrue;
}

/** auth-js prints every failed request. */
export const quiet = () => vi.spyOn(console, 'error').mockImplementation(() => {});
