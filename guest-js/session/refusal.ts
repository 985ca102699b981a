// What a rejected `refresh` means: the server has refused the refresh token for good, or something passing went wrong.

import { retryAfter } from './retry-delay.js';

/** Decides whether what {@link SessionOptions.refresh} rejected with ends the session. */
export type IsRefused = (cause: unknown) => boolean | Promise<boolean>;

/** What a rejected refresh means to the session: it has ended, or asks again later. */
export type Verdict =
  | { ended: true }
  | {
      failed: true;
      /** For how many milliseconds the server wants to be left alone. 0: it did not say. */
      retryAfter: number;
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
const BODY_DEADLINE = 5000;

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
    if (typeof statusCode === 'number') return statusCode;
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
 * Whether what a refresh rejected with means that the server has refused the refresh token for good. The default of
 * {@link SessionOptions.isRefused}.
 *
 * It knows a `Response` that is thrown as it is, the errors of axios, ky, ofetch, openapi-fetch and Angular, bodies that are
 * thrown after they were parsed, and errors with any of these as their `response` or `cause`. It is refused:
 *
 * - with the error `invalid_grant` (RFC 6749 section 5.2), whatever the status, and with the codes by which Supabase, Firebase
 *   and GitHub say the same;
 * - with the status 401 or 403, unless the body has another error of OAuth, such as `invalid_client`, or is HTML: the page
 *   of a firewall says nothing about the token.
 *
 * All else passes: no network, 429, 5xx, an abort.
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

/**
 * Judges a rejected refresh. Never rejects: an `isRefused` that throws has not said that the session is at its end.
 *
 * @param refused The app's own classification. {@link SessionEnded} needs none.
 */
export async function judge(cause: unknown, refused: IsRefused = isRefused): Promise<Verdict> {
  if (Object(cause).name === 'SessionEnded') return { ended: true };
  const ask = async () => refused(cause);
  if (await ask().catch(() => false)) return { ended: true };
  const layers = layersOf(cause);
  const status = statusOf(layers);
  return {
    failed: true,
    retryAfter: Math.ceil(layers.map(retryAfter).find((wait) => wait > 0) ?? 0),
    ...(status !== undefined && { status }),
  };
}
