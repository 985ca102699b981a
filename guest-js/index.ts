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
} from './ipc/commands.js';
export { type ErrorCode, SecureTokenError, SessionEnded } from './ipc/errors.js';
export {
  type AuthFetch,
  type AuthFetchInit,
  type AuthFetchOptions,
  createAuthFetch,
} from './requests/fetch.js';
export {
  createSession,
  type IsRefused,
  type RefreshTools,
  type Session,
  type SessionOptions,
  type SignedOutReason,
  type Snapshot,
  type Status,
  type Tokens,
} from './session/session.js';
