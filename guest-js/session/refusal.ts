// What a rejected `refresh` means: the server has refused the refresh token for good, or something passing went wrong.

import { SecureTokenError } from '../ipc/errors.js';
import { retryAfter } from './retry-delay.js';
import type { IsRefused } from './session-types.js';

/** What a rejected refresh means to the session: it has ended, or asks again later. */
export type Verdict =
  | { ended: true }
  | {
      failed: true;
      /** For how many milliseconds the server wants to be left alone, if it said so. */
      retryAfter?: number | undefined;
      /** The status of the response, if there was one. */
      status?: number | undefined;
    };

/**
 * The codes of servers that will never accept this refresh token again. The SDK of each signs the user out for them.
 * `invalid_grant` is that of OAuth (RFC 6749 section 5.2); then follow Supabase, Firebase, and GitHub, which sends its code
 * with the status 200.
 */
const REFUSED = new Set([
  'invalid_grant',
  'refresh_token_not_found',
  'refresh_token_already_used',
  'session_not_found',
  'session_expired',
  'user_banned',
  'TOKEN_EXPIRED',
  'INVALID_REFRESH_TOKEN',
  'USER_DISABLED',
  'USER_NOT_FOUND',
  'bad_refresh_token',
]);

/**
 * The other errors that OAuth knows: the client, the request or the server is at fault, and not the refresh token. RFC 6749
 * sections 4.1.2.1 and 5.2, RFC 6750, 8628, 8707 and 9449, OpenID Connect Core section 3.1.2.6. Not `invalid_token`, which
 * tells that a token has expired.
 */
const OAUTH_ERRORS = new Set([
  'invalid_request',
  'invalid_client',
  'unauthorized_client',
  'unsupported_grant_type',
  'unsupported_token_type',
  'invalid_scope',
  'invalid_target',
  'access_denied',
  'server_error',
  'temporarily_unavailable',
  'slow_down',
  'insufficient_scope',
  'insufficient_user_authentication',
  'invalid_dpop_proof',
  'use_dpop_nonce',
  'interaction_required',
  'login_required',
  'consent_required',
]);

/** How deep errors are looked into that were caused by others. A bound, since causes can form a ring. */
const DEPTH = 5;

/** A body that says why a refresh was refused is short and is there at once. */
const LONGEST_BODY = 65_536;
const BODY_DEADLINE = 3000;

/** For how many milliseconds a rule of the app may think. Whoever refreshes has to answer before the lease ends. */
const RULE_DEADLINE = 4000;

/** A rejection, the responses in it, and the same of what caused it. Any of them may hold what the server said. */
function layersOf(cause: unknown): unknown[] {
  const layers: unknown[] = [];
  for (let layer = cause, depth = 0; layer && depth < DEPTH; layer = Object(layer).cause, depth++) {
    layers.push(layer);
    if (Object(layer).response) layers.push(Object(layer).response);
  }
  return layers;
}

/** axios, ky, fetch and Angular say `status`, ofetch and NestJS `statusCode`. */
function statusOf(layers: unknown[]): number | undefined {
  for (const layer of layers) {
    const { status, statusCode = status } = Object(layer);
    if (Number.isInteger(statusCode) && statusCode >= 100 && statusCode < 600) return statusCode;
  }
  return undefined;
}

function contentType(layers: unknown[]): string {
  for (const layer of layers) {
    const { headers } = Object(layer);
    const value = headers?.get?.('content-type') ?? headers?.['content-type'];
    if (value) return `${value}`;
  }
  return '';
}

/** The beginning of a body that nobody has read, by a clone: the app may want to read it too. */
async function readBody(response: Response): Promise<string> {
  const reader = response.clone().body?.getReader();
  if (!reader) return '';
  const decoder = new TextDecoder();
  let text = '';
  const timer = setTimeout(() => reader.cancel().catch(() => {}), BODY_DEADLINE);
  try {
    while (text.length < LONGEST_BODY) {
      const { value, done } = await reader.read();
      if (done) break;
      text += decoder.decode(value, { stream: true });
    }
  } catch {
    // Cut off. What has arrived may say enough.
  } finally {
    clearTimeout(timer);
    reader.cancel().catch(() => {});
  }
  return text;
}

/** Whether it is a `Response`, also that of another realm. */
const isUnread = (layer: unknown): layer is Response =>
  typeof Object(layer).clone === 'function' &&
  typeof Object(layer).text === 'function' &&
  !Object(layer).bodyUsed;

/** What may be the body of the server's response, wherever client libraries put it. */
async function bodiesOf(layers: unknown[]): Promise<unknown[]> {
  const bodies: unknown[] = [];
  for (const layer of layers) {
    // The layer itself: `throw await response.json()`. Then axios, ky and ofetch; Angular and openapi-fetch; superagent.
    const { data, error, body, message } = Object(layer);
    bodies.push(layer, data, error, body, message);
    if (isUnread(layer)) bodies.push(await readBody(layer));
  }
  return bodies.map((body) => (typeof body === 'string' ? parse(body) : body));
}

/** JSON as what it says, other text as it is. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** The values that name the error in a body, such as `{ error }`, `{ error_code }` or `{ error: { code, message } }`. */
function* codesOf(body: unknown): Generator<unknown> {
  // A form (`error=invalid_grant`), or JSON within other text.
  if (typeof body === 'string' && !isPage(body)) yield /\binvalid_grant\b/.exec(body)?.[0];
  for (const part of [body, Object(body).error]) {
    const { error, error_code, code, message } = Object(part);
    yield* [part, error, error_code, code, message];
  }
}

/** What a firewall or a proxy shows: it never asked the server. */
function isPage(body: unknown): boolean {
  // The second is what Cloudflare sends to those who do not ask for a page.
  return typeof body === 'string' && (/^\s*</.test(body) || /^\s*error code: 1\d{3}\b/.test(body));
}

/** Whether it is what JSON can be at its root, and not a stream, an error or an event. */
function isData(body: unknown): boolean {
  if (typeof body !== 'object' || body === null) return false;
  const prototype = Object.getPrototypeOf(body);
  // Object.prototype has none. Compared like this, since the data may come from another realm.
  return Array.isArray(body) || prototype === null || Object.getPrototypeOf(prototype) === null;
}

/**
 * Whether what a refresh rejected with means that the server has refused the refresh token for good: the usual rule, see
 * {@link SessionOptions.isRefused}.
 */
export async function isRefused(cause: unknown): Promise<boolean> {
  const layers = layersOf(cause);
  const bodies = await bodiesOf(layers);
  const codes = bodies.flatMap((body) => [...codesOf(body)]);
  if (codes.some((code) => REFUSED.has(code as string))) return true;
  const status = statusOf(layers);
  if ((status !== 401 && status !== 403) || bodies.some(isPage)) return false;
  // PHP calls a response text/html unless it is told otherwise, JSON too.
  const isJson = bodies.some((body) => isData(body) && !layers.includes(body));
  if (/^text\/html/i.test(contentType(layers)) && !isJson) return false;
  // league/oauth2-server, which Laravel Passport is built on, says 401 `invalid_request` up to its version 8.
  const isUsedUp = status === 401 && codes.includes('invalid_request');
  return isUsedUp || !codes.some((code) => OAUTH_ERRORS.has(code as string));
}

/** What the rule says. `false` if it throws, or does not say in time: then nobody has said that the session has ended. */
async function ask(rule: IsRefused, cause: unknown, report: (error: unknown) => void): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    const error = new SecureTokenError('timeout', `isRefused did not settle within ${RULE_DEADLINE} ms`);
    timer = setTimeout(() => reject(error), RULE_DEADLINE);
  });
  try {
    return await Promise.race([rule(cause, isRefused), late]);
  } catch (error) {
    report(error);
    return false;
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Judges a rejected refresh. Never rejects.
 *
 * @param rule That of the app. {@link SessionEnded} needs none.
 * @param report Hears why the rule failed.
 */
export async function judge(
  cause: unknown,
  rule: IsRefused = isRefused,
  report: (error: unknown) => void = () => {},
): Promise<Verdict> {
  if (Object(cause).name === 'SessionEnded') return { ended: true };
  if (await ask(rule, cause, report)) return { ended: true };
  const layers = layersOf(cause);
  const wait = layers.map(retryAfter).find((asked) => asked > 0);
  return { failed: true, retryAfter: wait && Math.ceil(wait), status: statusOf(layers) };
}
