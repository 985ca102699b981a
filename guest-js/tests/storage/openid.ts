// A real OpenID provider on the loopback interface, and somebody who signs in there as in a browser.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Configuration } from 'oidc-provider';
import { onTestFinished, vi } from 'vitest';

/** The address that the system hands to an installed app (RFC 8252 section 7.1). */
export const REDIRECT_URI = 'com.example.app:/callback';
export const CLIENT_ID = 'app';

const configuration: Configuration = {
  clients: [
    {
      client_id: CLIENT_ID,
      application_type: 'native',
      token_endpoint_auth_method: 'none',
      redirect_uris: [REDIRECT_URI],
      grant_types: ['authorization_code', 'refresh_token'],
    },
  ],
  cookies: { keys: ['test'] },
  features: { revocation: { enabled: true } },
  ttl: { AccessToken: 600, Grant: 600, IdToken: 600, Interaction: 600, RefreshToken: 600, Session: 600 },
};

export interface OpenId {
  issuer: string;
  /** The grants that the token endpoint gave, in their order. */
  grants: string[];
  /** The error of the token endpoint for a refresh token, if it is no longer good. */
  refused(refreshToken: string): Promise<string | undefined>;
  /** Signs in, consents, and answers the address that the app is called back with. */
  visit(url: string): Promise<string>;
  /** Cuts all connections and takes no more. */
  stop(): void;
}

/** Follows redirects with a cookie jar and answers the forms on the way. */
async function browse(url: string): Promise<string> {
  const cookies = new Map<string, string>();
  let next = new Request(url);
  for (;;) {
    next.headers.set('cookie', [...cookies].map(([name, value]) => `${name}=${value}`).join('; '));
    const response = await fetch(next, { redirect: 'manual' });
    for (const cookie of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
      cookies.set(name, value);
    }
    const page = await response.text();
    const location = response.headers.get('location');
    const prompt = /name="prompt" value="(\w+)"/.exec(page)?.[1];
    if (location?.startsWith(REDIRECT_URI)) return location;
    if (location) next = new Request(new URL(location, next.url));
    else if (prompt) {
      const body = new URLSearchParams({ prompt, login: 'ada', password: 'any' });
      next = new Request(next.url, { method: 'POST', body });
    } else throw new Error(`no way on from ${next.url}: ${response.status}`);
  }
}

/** A provider that ends with the test. */
export async function serveOpenId(): Promise<OpenId> {
  // It warns of what only matters in production, also when it is loaded.
  for (const method of ['info', 'warn'] as const) vi.spyOn(console, method).mockImplementation(() => {});
  const { Provider } = await import('oidc-provider');
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const provider = new Provider(issuer, configuration);
  server.on('request', provider.callback());
  const grants: string[] = [];
  provider.on('grant.success', ({ oidc }) => grants.push(String(oidc.params?.grant_type)));
  const refused = async (refreshToken: string) => {
    const body = new URLSearchParams({
      grant_type: 'refresh_token',
      client_id: CLIENT_ID,
      refresh_token: refreshToken,
    });
    const answer = await fetch(`${issuer}/token`, { method: 'POST', body });
    return ((await answer.json()) as { error?: string }).error;
  };
  const stop = () => {
    server.closeAllConnections();
    server.close();
  };
  onTestFinished(stop);
  return { issuer, grants, refused, visit: browse, stop };
}
