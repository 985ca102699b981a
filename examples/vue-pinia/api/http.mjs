// The HTTP plumbing that both demo servers share: listening, CORS, bodies and JSON answers.

import { createServer } from 'node:http';

/** The page's origins: Tauri on macOS, iOS and Linux; Tauri on Windows and Android; Vite's development server. */
const PAGE_ORIGINS = new Set(['tauri://localhost', 'http://tauri.localhost', 'http://localhost:5173']);

/** Far above any honest body here: the biggest is one refresh token. */
const MAX_BODY_BYTES = 64 * 1024;

/** An answer other than success. It is thrown by a route and sent by `listen`. */
export class HttpError extends Error {
  /**
   * @param {number} status
   * @param {string} code the `error` member of RFC 6749 section 5.2
   * @param {Record<string, string>} [headers]
   */
  constructor(status, code, headers = {}) {
    super(code);
    this.name = 'HttpError';
    this.status = status;
    this.code = code;
    this.headers = headers;
  }
}

/** @typedef {import('node:http').IncomingMessage} Request */
/** @typedef {{ status?: number, body?: unknown, headers?: Record<string, string> }} Answer */

/**
 * Answers every request with what `route` returns or throws, on the loopback interface only.
 *
 * @param {object} options
 * @param {number} options.port 0 takes a free port
 * @param {(request: Request, path: string) => Promise<Answer>} options.route
 * @param {(request: Request, path: string, status: number) => void} options.onAnswer not called for a preflight
 * @param {(path: string) => boolean} [options.isCutOff] whether to end the connection without an answer
 * @returns {Promise<{ url: string, close: () => Promise<void> }>}
 */
export async function listen({ port, route, onAnswer, isCutOff = () => false }) {
  const server = createServer(async (request, response) => {
    // The base only completes the path; a client cannot choose it.
    const path = URL.canParse(request.url, 'http://api') ? new URL(request.url, 'http://api').pathname : '/';
    if (isCutOff(path)) {
      request.socket.destroy();
      return;
    }
    const { status, body, headers } = await answer(request, path, route);
    if (request.method !== 'OPTIONS') onAnswer(request, path, status);
    response.writeHead(status, {
      ...corsHeaders(request),
      // RFC 6749 section 5.1: an answer that may hold a token must not be cached.
      'Cache-Control': 'no-store',
      Pragma: 'no-cache',
      ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
      // What is left of an unread body must not be taken for the next request.
      ...(request.complete ? {} : { Connection: 'close' }),
      ...headers,
    });
    response.end(body === undefined ? undefined : JSON.stringify(body));
  });
  await new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error ? reject(error) : resolve()));
        server.closeAllConnections();
      }),
  };
}

async function answer(request, path, route) {
  // A preflight never carries credentials and must succeed without them (Fetch standard, CORS protocol).
  if (request.method === 'OPTIONS') return { status: 204, headers: preflightHeaders(request) };
  try {
    return { status: 200, ...(await route(request, path)) };
  } catch (error) {
    if (error instanceof HttpError) {
      return { status: error.status, body: { error: error.code }, headers: error.headers };
    }
    // Only the kind of the error: its text may repeat what the client sent.
    console.error(`${request.method} ${path} failed: ${error.name}`);
    return { status: 500, body: { error: 'server_error' } };
  }
}

function corsHeaders(request) {
  const { origin } = request.headers;
  return {
    Vary: 'Origin',
    ...(PAGE_ORIGINS.has(origin)
      ? { 'Access-Control-Allow-Origin': origin, 'Access-Control-Expose-Headers': 'WWW-Authenticate' }
      : {}),
  };
}

function preflightHeaders(request) {
  if (!PAGE_ORIGINS.has(request.headers.origin)) return {};
  return {
    'Access-Control-Allow-Methods': 'GET, POST',
    // `*` does not cover Authorization (Fetch standard), so it is named.
    'Access-Control-Allow-Headers': 'Authorization, Content-Type',
    'Access-Control-Max-Age': '600',
  };
}

/** Reads a JSON object. */
export async function readJson(request) {
  requireType(request, 'application/json');
  let value;
  try {
    value = JSON.parse(await readText(request));
  } catch (error) {
    if (error instanceof SyntaxError) throw new HttpError(400, 'invalid_request');
    throw error;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new HttpError(400, 'invalid_request');
  }
  return value;
}

/** Reads a form; a parameter that comes twice is refused (RFC 6749 section 3.2), an empty one counts as absent. */
export async function readForm(request) {
  requireType(request, 'application/x-www-form-urlencoded');
  const form = new Map();
  for (const [name, value] of new URLSearchParams(await readText(request))) {
    if (form.has(name)) throw new HttpError(400, 'invalid_request');
    form.set(name, value);
  }
  return { get: (name) => form.get(name) || undefined };
}

function requireType(request, type) {
  const actual = request.headers['content-type']?.split(';', 1)[0].trim().toLowerCase();
  if (actual !== type) throw new HttpError(415, 'invalid_request', { Accept: type });
}

async function readText(request) {
  const chunks = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) throw new HttpError(413, 'invalid_request');
    chunks.push(chunk);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
  } catch {
    throw new HttpError(400, 'invalid_request');
  }
}
