// What real servers send when a refresh token is refused for good, and what they and others send when it is not.

import { expect, it } from 'vitest';
import * as refusal from '../../session/refusal.js';
import type { IsRefused } from '../../session/session.js';
import { serve } from '../support/servers.js';

export const judge = (cause: unknown, rule?: IsRefused, report: (error: unknown) => void = () => {}) =>
  refusal.judge(cause, rule, report);

interface Sent {
  status: number;
  type?: string;
  headers?: Record<string, string>;
  /** An object is sent as JSON. */
  body?: object | string;
}

const JSON_TYPE = 'application/json';

/** Each from the source code or the documentation of that server. */
export const refusals: [string, Sent][] = [
  [
    'Auth0',
    { status: 403, body: { error: 'invalid_grant', error_description: 'Unknown or invalid refresh token.' } },
  ],
  ['Keycloak', { status: 400, body: { error: 'invalid_grant', error_description: 'Token is not active' } }],
  [
    'Okta',
    {
      status: 400,
      body: { error: 'invalid_grant', error_description: 'The refresh token is invalid or expired.' },
    },
  ],
  [
    'Microsoft Entra',
    { status: 400, body: { error: 'invalid_grant', error_codes: [70008], suberror: 'bad_token' } },
  ],
  [
    'Supabase',
    {
      status: 400,
      body: { code: 400, error_code: 'refresh_token_not_found', msg: 'Invalid Refresh Token: Not Found' },
    },
  ],
  ['Supabase with a dated API', { status: 400, body: { code: 'refresh_token_already_used', message: '' } }],
  [
    'Firebase',
    { status: 400, body: { error: { code: 400, message: 'TOKEN_EXPIRED', status: 'INVALID_ARGUMENT' } } },
  ],
  [
    'GitHub',
    { status: 200, body: { error: 'bad_refresh_token', error_description: 'incorrect or expired' } },
  ],
  ['Spring Authorization Server', { status: 400, body: { error: 'invalid_grant' } }],
  [
    'Spring Security',
    { status: 401, type: '', headers: { 'www-authenticate': 'Bearer error="invalid_token"' } },
  ],
  ['Spring Boot', { status: 401, body: { status: 401, error: 'Unauthorized', path: '/refresh' } }],
  ['Spring OAuth before 2022', { status: 401, body: { error: 'invalid_token', error_description: '' } }],
  [
    'Laravel Passport before 13',
    { status: 401, body: { error: 'invalid_request', message: 'The refresh token is invalid.' } },
  ],
  ['Laravel Sanctum', { status: 401, body: { message: 'Unauthenticated.' } }],
  [
    'Django simplejwt',
    { status: 401, body: { detail: 'Token is invalid or expired', code: 'token_not_valid' } },
  ],
  ['Devise', { status: 401, body: { error: 'Your session expired. Please sign in again to continue.' } }],
  ['Doorkeeper', { status: 400, body: { error: 'invalid_grant', error_description: '' } }],
  ['better-auth', { status: 401, body: { code: 'INVALID_TOKEN', message: 'Invalid token' } }],
  ['ASP.NET Core Identity', { status: 401, type: '' }],
  ['NestJS', { status: 401, body: { message: 'Unauthorized', statusCode: 401 } }],
  ['Express', { status: 403, type: 'text/plain', body: 'Forbidden' }],
  ['PHP without a content type', { status: 401, type: 'text/html', body: '{"message":"Unauthenticated."}' }],
  ['invalid_grant with a status of its own', { status: 500, body: { error: 'invalid_grant' } }],
  ['OAuth as a form', { status: 400, type: 'text/plain', body: 'error=invalid_grant&error_uri=x' }],
];

const PAGE = '<!DOCTYPE html>\n<html><head><title>403 Forbidden</title></head></html>';

/** Nobody has judged the refresh token. */
export const passing: [string, Sent][] = [
  ['the page of a firewall', { status: 403, type: 'text/html; charset=utf-8', body: PAGE }],
  ['a page without a type', { status: 403, type: '', body: `\n  ${PAGE}` }],
  ['a page with the wrong type', { status: 401, type: JSON_TYPE, body: PAGE }],
  ['an empty page', { status: 403, type: 'text/html' }],
  ['Cloudflare, asked for no page', { status: 403, type: 'text/plain', body: 'error code: 1020' }],
  [
    'CloudFront and S3',
    { status: 403, type: 'application/xml', body: '<?xml version="1.0"?><Error></Error>' },
  ],
  [
    'a wrong secret of the client',
    {
      status: 401,
      headers: { 'www-authenticate': 'Basic realm="OAuth"' },
      body: { error: 'invalid_client', error_description: 'Bad client credentials' },
    },
  ],
  ['a client that may not refresh', { status: 403, body: { error: 'unauthorized_client' } }],
  ['a wrong request', { status: 400, body: { error: 'invalid_request' } }],
  ['DPoP that asks for a nonce', { status: 401, body: { error: 'use_dpop_nonce' } }],
  [
    'Firebase with a wrong key',
    {
      status: 400,
      body: { error: { code: 400, message: 'API key not valid. Please pass a valid API key.' } },
    },
  ],
  ['419 of Laravel', { status: 419, body: { message: 'CSRF token mismatch.' } }],
  ['404', { status: 404, body: { message: 'Not Found' } }],
  ['429', { status: 429, body: { message: 'Too Many Requests' } }],
  ['500', { status: 500, body: { error: 'server_error' } }],
  ['503 with a page', { status: 503, type: 'text/html', body: PAGE }],
];

const answer = ({ status, type = JSON_TYPE, headers, body = '' }: Sent) =>
  serve((_request, response) => {
    response.writeHead(status, { ...(type && { 'content-type': type }), ...headers });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  });

async function rejectionOf(asking: Promise<unknown>): Promise<unknown> {
  const result = await asking.catch((cause: unknown) => ({ cause }));
  if (!Object.hasOwn(Object(result), 'cause')) throw new Error('the request was not rejected');
  return (result as { cause: unknown }).cause;
}

/**
 * The same tests for each way in which an app asks a server.
 *
 * @param ask Sends the refresh token to `url` and rejects with what the library rejects with.
 * @param isApart Which cases cannot be told with this library.
 */
export function judges(
  ask: (url: string) => Promise<unknown>,
  isApart: (name: string) => boolean = () => false,
): void {
  const told = (cases: [string, Sent][]) => cases.filter(([name]) => !isApart(name));

  it.each(told(refusals))('A9 %s refuses: the session ends', async (_name, sent) => {
    const { origin } = await answer(sent);
    const cause = await rejectionOf(ask(origin));
    expect(await judge(cause)).toEqual({ ended: true });
  });

  it.each(told(passing))('A10 %s: the session stays', async (_name, sent) => {
    const { origin } = await answer(sent);
    const cause = await rejectionOf(ask(origin));
    expect(await judge(cause)).toEqual({ failed: true, status: sent.status });
  });

  it('no network: the session stays', async () => {
    // Nothing listens there: browsers and Node refuse the port.
    const cause = await rejectionOf(ask('http://127.0.0.1:1'));
    expect(await judge(cause)).toMatchObject({ failed: true });
  });

  it('the server is left alone for as long as it asks for', async () => {
    const { origin } = await answer({ status: 503, headers: { 'retry-after': '120' } });
    const cause = await rejectionOf(ask(origin));
    expect(await judge(cause)).toEqual({ failed: true, retryAfter: 120_000, status: 503 });
  });
}
