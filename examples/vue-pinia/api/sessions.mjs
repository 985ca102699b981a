// Who is signed in: users, refresh token families with rotation and reuse detection, and live access tokens.

import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';

const REFRESH_TOKEN_MS = 14 * 24 * 60 * 60 * 1000;

const USERS = new Map([
  ['demo', { password: 'demo', name: 'Demo User', role: 'Visitor' }],
  ['ada', { password: 'lovelace', name: 'Ada Lovelace', role: 'Analyst' }],
]);

/**
 * @typedef {object} Family
 * @property {string} user
 * @property {boolean} revoked
 * @property {number} expiresAt
 * @property {string} current the hash of its newest refresh token
 * @property {{ hash: string, until: number }[]} used those that are in their grace
 */

/**
 * The sessions of one server.
 *
 * A refresh token is `family.secret`: the random family id is known only to someone who held one of its tokens.
 *
 * @param {object} options
 * @param {ReturnType<typeof import('./tokens.mjs').createTokens>} options.tokens
 * @param {number} [options.graceSeconds] for how long a used refresh token buys tokens once more, for a client that has
 * lost the response. 0, the default: each is good for one use
 * @param {string} [options.file] where families outlive the server; only hashes are written
 */
export function createSessions({ tokens, graceSeconds = 0, file }) {
  if (!(graceSeconds >= 0)) throw new RangeError('The grace of a refresh token must be 0 seconds or more.');
  /** @type {Map<string, Family>} */
  const families = new Map(file ? load(file) : []);
  /** Access tokens that are still good, by their `jti`. @type {Map<string, { family: string, expiresAt: number }>} */
  const live = new Map();

  function save() {
    if (!file) return;
    const rows = [...families].filter(([, family]) => !family.revoked && family.expiresAt > Date.now());
    writeFileSync(`${file}.new`, JSON.stringify(rows), { mode: 0o600 });
    renameSync(`${file}.new`, file);
  }

  async function issue(id, family) {
    const secret = randomBytes(32).toString('base64url');
    // Stored before the first await: of two requests with one refresh token, the second counts as reuse.
    family.current = hash(secret);
    family.expiresAt = Date.now() + REFRESH_TOKEN_MS;
    save();
    const access = await tokens.issue(family.user);
    for (const [jti, { expiresAt }] of live) if (expiresAt <= Date.now()) live.delete(jti);
    live.set(access.id, { family: id, expiresAt: access.expiresAt });
    return { accessToken: access.token, expiresIn: access.expiresIn, refreshToken: `${id}.${secret}` };
  }

  function revokeFamily(id) {
    const family = families.get(id);
    if (!family || family.revoked) return;
    family.revoked = true;
    save();
  }

  return {
    /** Starts a family, or `undefined` when the user or the password is wrong. */
    async login(user, password) {
      const known = USERS.get(user);
      // Compared for unknown users too, so that the time taken does not tell who exists.
      if (!equal(password, known?.password ?? '') || !known) return undefined;
      const id = randomBytes(16).toString('base64url');
      const family = { user, revoked: false, expiresAt: 0, current: '', used: [] };
      families.set(id, family);
      return issue(id, family);
    },

    /**
     * Trades a refresh token for new tokens, or `undefined` when it is not good.
     *
     * A used one ends the whole family: either its owner or a thief has the newer token, and nobody can tell which
     * (RFC 9700 section 4.14.2).
     */
    async rotate(refreshToken) {
      const { id, secret } = split(refreshToken);
      const family = families.get(id);
      if (!family || family.revoked || family.expiresAt <= Date.now()) return undefined;
      if (!isGood(hash(secret), family)) {
        revokeFamily(id);
        return undefined;
      }
      const used = { hash: family.current, until: Date.now() + graceSeconds * 1000 };
      family.used = [...family.used, used].filter(isInGrace);
      return issue(id, family);
    },

    /** The signed-in user behind an access token, or `undefined`. */
    async whoIs(accessToken) {
      const { valid, claims } = await tokens.check(accessToken);
      const entry = valid ? live.get(claims.jti) : undefined;
      const family = entry && families.get(entry.family);
      if (!family || family.revoked) return undefined;
      const { name, role } = USERS.get(family.user);
      return { user: family.user, name, role, expiresAt: entry.expiresAt };
    },

    /** Ends the family of a refresh token or an access token (RFC 7009 section 2.1); an unknown one is no error. */
    async revoke(token) {
      const { claims } = await tokens.check(token);
      const id = claims ? live.get(claims.jti)?.family : split(token).id;
      if (id) revokeFamily(id);
    },

    /** Refuses every access token issued so far; refresh tokens stay good. */
    expireAll() {
      live.clear();
    },

    /** Who has, or had, a family since the server started. */
    list() {
      return [...families.values()].map(({ user, revoked }) => ({ user, revoked }));
    },
  };
}

function load(file) {
  try {
    const rows = JSON.parse(readFileSync(file, 'utf8'));
    // Versions of this demo without a grace have left no `used`.
    return rows.map(([id, family]) => [id, { used: [], ...family }]);
  } catch (error) {
    if (error.code === 'ENOENT') return [];
    throw error;
  }
}

function split(refreshToken) {
  const [id, secret = ''] = refreshToken.split('.', 2);
  return { id, secret };
}

/** @param {Family} family */
function isGood(hashed, { current, used }) {
  const inGrace = used.filter(isInGrace).map((one) => one.hash);
  return [current, ...inGrace].some((good) => equal(hashed, good));
}

const isInGrace = ({ until }) => until > Date.now();

function hash(text) {
  return createHash('sha256').update(text).digest('base64url');
}

function equal(left, right) {
  return timingSafeEqual(
    createHash('sha256').update(left).digest(),
    createHash('sha256').update(right).digest(),
  );
}
