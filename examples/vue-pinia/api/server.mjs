// The demo's HTTP API: login, rotation, revocation and one protected resource; and a second, foreign origin.

import { fileURLToPath } from 'node:url';
import { HttpError, listen, readForm, readJson } from './http.mjs';
import { createSessions } from './sessions.mjs';
import { createTokens } from './tokens.mjs';

/** Tells whether the API plays dead, and lets it. */
const OUTAGE = '/outage';

const REALM = 'Bearer realm="secure-token demo"';

/**
 * Starts the API.
 *
 * @param {object} [options]
 * @param {number} [options.port] 0, the default, takes a free port
 * @param {number} [options.accessTokenSeconds] lifetime of an access token
 * @param {number} [options.graceSeconds] how long a refresh token is still good after it was used; see `createSessions`
 * @param {boolean} [options.testHooks] adds the routes under `/test/`
 * @param {string} [options.file] where sessions outlive the server
 */
export async function createApi({
  port = 0,
  accessTokenSeconds = 60,
  graceSeconds = 0,
  testHooks = false,
  file,
} = {}) {
  const tokens = createTokens(accessTokenSeconds);
  const sessions = createSessions({ tokens, graceSeconds, file });
  /** @type {{ method: string, path: string, status: number, hasAuthorization: boolean, tokenId: string | null }[]} */
  const log = [];
  /** Ids of the tokens that this server signed, kept with their request until it is answered. */
  const tokenIds = new WeakMap();

  /** By path, what holds its requests. @type {Map<string, Hold>} */
  const holds = new Map();

  let isDown = false;

  const routes = {
    '/login': { POST: login },
    '/token': { POST: token },
    '/me': { GET: me },
    '/revoke': { POST: revoke },
    '/probe': {
      GET: async (request) => ({ body: { hasAuthorization: 'authorization' in request.headers } }),
    },
    [OUTAGE]: { GET: async () => ({ body: { isDown } }), POST: setOutage },
    ...(testHooks && {
      '/test/log': { GET: async () => ({ body: log }) },
      '/test/sessions': { GET: async () => ({ body: sessions.list() }) },
      '/test/expire': { POST: expire },
    }),
  };

  async function login(request) {
    const { user, password } = await readJson(request);
    if (typeof user !== 'string' || typeof password !== 'string') throw new HttpError(400, 'invalid_request');
    const issued = await sessions.login(user, password);
    if (!issued) throw new HttpError(401, 'invalid_grant', { 'WWW-Authenticate': REALM });
    return { body: tokenResponse(issued) };
  }

  /** RFC 6749 section 6; its errors are those of section 5.2. */
  async function token(request) {
    const form = await readForm(request);
    const grantType = form.get('grant_type');
    if (!grantType) throw new HttpError(400, 'invalid_request');
    if (grantType !== 'refresh_token') throw new HttpError(400, 'unsupported_grant_type');
    const refreshToken = form.get('refresh_token');
    if (!refreshToken) throw new HttpError(400, 'invalid_request');
    const issued = await sessions.rotate(refreshToken);
    if (!issued) throw new HttpError(400, 'invalid_grant');
    return { body: tokenResponse(issued) };
  }

  /** RFC 6750 section 3.1: no error code without a token, `invalid_token` with one that is not good. */
  async function me(request) {
    const accessToken = bearer(request);
    if (!accessToken) throw new HttpError(401, 'unauthorized', { 'WWW-Authenticate': REALM });
    const found = await sessions.whoIs(accessToken);
    if (!found) {
      throw new HttpError(401, 'invalid_token', { 'WWW-Authenticate': `${REALM}, error="invalid_token"` });
    }
    return { body: found };
  }

  /** RFC 7009 section 2.2: 200 also for a token that nobody knows. */
  async function revoke(request) {
    const form = await readForm(request);
    const revoked = form.get('token');
    if (!revoked) throw new HttpError(400, 'invalid_request');
    await sessions.revoke(revoked);
    return {};
  }

  /** While it lasts, every other request is cut off as if no server were there. */
  async function setOutage(request) {
    isDown = (await readForm(request)).get('down') === 'true';
    return { body: { isDown } };
  }

  async function expire() {
    sessions.expireAll();
    return { status: 204 };
  }

  async function route(request, path) {
    const accessToken = bearer(request);
    if (accessToken) tokenIds.set(request, (await tokens.check(accessToken)).claims?.jti);
    const methods = Object.hasOwn(routes, path) ? routes[path] : undefined;
    if (!methods) throw new HttpError(404, 'not_found');
    const handler = methods[request.method];
    if (!handler) throw new HttpError(405, 'method_not_allowed', { Allow: Object.keys(methods).join(', ') });
    const held = holds.get(path);
    if (held?.step === 'request') await held.keep(request);
    const response = await handler(request);
    if (held?.step === 'response') await held.keep(request);
    return response;
  }

  /**
   * Holds what comes to `path` until `release()` of the return value is called: requests before they take effect, or
   * responses after that.
   *
   * @param {string} path
   * @param {'request' | 'response'} [step]
   */
  function hold(path, step = 'request') {
    const held = new Hold(step, () => holds.delete(path));
    holds.set(path, held);
    return held;
  }

  function onAnswer(request, path, status) {
    if (path.startsWith('/test/') || path === OUTAGE) return;
    log.push({
      method: request.method,
      // A path that is not ours could hold anything, a token too.
      path: Object.hasOwn(routes, path) ? path : '(unknown)',
      status,
      hasAuthorization: 'authorization' in request.headers,
      tokenId: tokenIds.get(request) ?? null,
    });
  }

  const server = await listen({ port, route, onAnswer, isCutOff: (path) => isDown && path !== OUTAGE });
  return { ...server, log, hold, setLifetime: tokens.setLifetime, sessions: () => sessions.list() };
}

/**
 * Starts the foreign origin. It lets every header through and keeps only whether an Authorization header came.
 *
 * @param {object} [options]
 * @param {number} [options.port] 0, the default, takes a free port
 */
export async function createOther({ port = 0 } = {}) {
  /** @type {{ path: string, hasAuthorization: boolean }[]} */
  const log = [];
  const server = await listen({
    port,
    route: async (request, path) => {
      if (path === '/test/log') return { body: log };
      return { body: { hasAuthorization: 'authorization' in request.headers } };
    },
    onAnswer: (request, path) => {
      if (path !== '/test/log') log.push({ path, hasAuthorization: 'authorization' in request.headers });
    },
  });
  return { ...server, log };
}

function tokenResponse({ accessToken, expiresIn, refreshToken }) {
  return {
    access_token: accessToken,
    token_type: 'Bearer',
    expires_in: expiresIn,
    refresh_token: refreshToken,
  };
}

/** What the API keeps back for a test. */
class Hold {
  #requests = [];
  #released;

  constructor(step, end) {
    this.step = step;
    this.#released = new Promise((resolve) => {
      this.release = () => {
        end();
        resolve();
      };
    });
  }

  /** How many requests have come. */
  get count() {
    return this.#requests.length;
  }

  /** How many of them nobody waits for any longer. */
  get abandoned() {
    return this.#requests.filter(hasLeft).length;
  }

  async keep(request) {
    this.#requests.push(request);
    await this.#released;
    // As if it had been lost on its way here. nginx logs this status for a client that has left.
    if (this.step === 'request' && hasLeft(request)) throw new HttpError(499, 'client_closed_request');
  }
}

const hasLeft = (request) => request.socket.destroyed;

/** The token of an `Authorization: Bearer` header; the scheme is case-insensitive (RFC 9110 section 11.1). */
function bearer(request) {
  return /^bearer +([\w\-.~+/]+=*)$/i.exec(request.headers.authorization ?? '')?.[1];
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { PORT = '8787', OTHER_PORT, ACCESS_TOKEN_SECONDS = '60', GRACE_SECONDS = '0' } = process.env;
  const api = await createApi({
    port: Number(PORT),
    accessTokenSeconds: Number(ACCESS_TOKEN_SECONDS),
    graceSeconds: Number(GRACE_SECONDS),
    file: fileURLToPath(new URL('.sessions', import.meta.url)),
  });
  console.log(`API listening on ${api.url}`);
  if (OTHER_PORT)
    console.log(`Other origin listening on ${(await createOther({ port: Number(OTHER_PORT) })).url}`);
}
