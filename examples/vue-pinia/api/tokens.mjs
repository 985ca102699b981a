// Access tokens: short-lived JWTs (RFC 7519, RFC 9068 in spirit) signed with a key that lives only in memory.

import { randomBytes, randomUUID } from 'node:crypto';
import { errors, jwtVerify, SignJWT } from 'jose';

const ISSUER = 'secure-token-demo';
const AUDIENCE = 'secure-token-demo-api';

/**
 * Signs and checks the access tokens of one server.
 *
 * The key is never written down: after a restart every access token is refused, and one refresh puts that right.
 *
 * @param {number} lifetimeSeconds
 */
export function createTokens(lifetimeSeconds) {
  let lifetime;
  setLifetime(lifetimeSeconds);
  const key = randomBytes(32);

  /** Sets how long the tokens live that are signed from now on. */
  function setLifetime(seconds) {
    if (!(seconds > 0)) throw new RangeError('The lifetime of an access token must be above 0 seconds.');
    lifetime = seconds;
  }

  /** Signs a new token for `subject`. */
  async function issue(subject) {
    const id = randomUUID();
    const expiresAt = Date.now() + lifetime * 1000;
    const token = await new SignJWT()
      .setProtectedHeader({ alg: 'HS256', typ: 'at+jwt' })
      .setIssuer(ISSUER)
      .setAudience(AUDIENCE)
      .setSubject(subject)
      .setJti(id)
      .setIssuedAt()
      // Whole seconds, rounded up: the token must not die before `expires_in` says so.
      .setExpirationTime(Math.ceil(expiresAt / 1000))
      .sign(key);
    return { id, token, expiresIn: lifetime, expiresAt };
  }

  /**
   * Checks signature, type, issuer, audience and expiry.
   *
   * `claims` is there whenever this server signed the token, so that the log can also name one that has expired.
   */
  async function check(token) {
    try {
      const { payload } = await jwtVerify(token, key, {
        // One algorithm, named here: the token's own header must not choose it (RFC 8725 section 3.1).
        algorithms: ['HS256'],
        typ: 'at+jwt',
        issuer: ISSUER,
        audience: AUDIENCE,
        requiredClaims: ['sub', 'jti', 'exp'],
      });
      return { valid: true, claims: payload };
    } catch (error) {
      // jose checks the claims only after the signature.
      if (error instanceof errors.JWTExpired || error instanceof errors.JWTClaimValidationFailed) {
        return { valid: false, claims: error.payload };
      }
      if (error instanceof errors.JOSEError || error instanceof TypeError) return { valid: false };
      throw error;
    }
  }

  return { setLifetime, issue, check };
}
