// What real servers send when a refresh token is refused for good, and what they and others send when it is not.

import { expect, it } from 'vitest';
import fixture from '../../../tests/fixtures/refusals.json' with { type: 'json' };
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

const cases = (sent: (Sent & { name: string })[]): [string, Sent][] =>
  sent.map(({ name, ...response }) => [name, response]);

/** Each from the source code or the documentation of that server. */
export const refusals = cases(fixture.refused);

/** Nobody has judged the refresh token. */
export const passing = cases(fixture.passing);

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
