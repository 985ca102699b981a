// The public face of the package, without the framework bindings.

export {
  clearToken,
  getToken,
  listAccounts,
  type StoredToken,
  type StoreInfo,
  setToken,
  storeInfo,
  type TokenNotice,
  type TokenRecord,
  watchTokens,
} from './commands.js';
export { type ErrorCode, SecureTokenError, SessionEnded } from './errors.js';
export { type AuthFetch, type AuthFetchInit, type AuthFetchOptions, createAuthFetch } from './fetch.js';
export {
  createSession,
  type Session,
  type SessionOptions,
  type SignedOutReason,
  type Snapshot,
  type Status,
  type Tokens,
} from './session.js';
