// What a page asks of the owner of a session, which is Rust, or without Tauri a small one in the page itself.

import type { TokenRecord } from './commands.js';
import type { ErrorCode } from './errors.js';

/** What a page may know of a session. No token in it. */
export interface OwnerSnapshot {
  status: 'hydrating' | 'signedOut' | 'signedIn' | 'unavailable';
  /** Another, larger one after each sign-in and each sign-out. The rotations of one login keep it. */
  login: number;
  /** Grows with each change: of two snapshots the one with the larger revision is newer. */
  revision: number;
  /** Changes when the token does. A page that holds the token of another one asks for it. */
  tokenRevision: number;
  expiresAt?: number | undefined;
  /** Whether there is a refresh token and somebody who can use it. */
  canRefresh: boolean;
  persisted: boolean;
  error?: { code: ErrorCode; message: string } | undefined;
  /** With `signedOut`: why the login before has ended, if the owner knew it. */
  reason?: 'logout' | 'refused' | 'elsewhere' | 'interrupted' | undefined;
  /** Until when refreshing rests, in milliseconds since the Unix epoch. */
  retryAt?: number | undefined;
  /** How many records wait for a page that revokes them. */
  revokes: number;
}

/** What the owner tells a page unasked. A token never comes this way. */
export type OwnerMessage = { snapshot: OwnerSnapshot } | { refresh: true };

/** What the page can do for the owner. */
export interface Abilities {
  refreshes: boolean;
  revokes: boolean;
}

/** The tokens of a sign-in or a refresh, checked and without a lifetime that says nothing. */
export interface SentTokens {
  token: string;
  refreshToken?: string | undefined;
  /** In seconds. */
  expiresIn?: number | undefined;
  /** In milliseconds since the Unix epoch. */
  expiresAt?: number | undefined;
}

/** Which token is wanted. Without anything: the one in memory; in a lease: a new one, whatever that one is worth. */
export interface TokenQuery {
  /** One that lives for at least `minLife`. */
  fresh?: true | undefined;
  /** In milliseconds. */
  minLife?: number | undefined;
  /** The one to use instead of this one, which a server refused. */
  rejected?: string | undefined;
  /** The server took `rejected` before. */
  accepted?: boolean | undefined;
  /** No token unless this is still the login. */
  login?: number | undefined;
}

/** The token that was asked for, and the snapshot of the same moment. */
export interface TokenResult {
  token?: string | undefined;
  tokenRevision: number;
  login: number;
  snapshot: OwnerSnapshot;
}

/** The right to carry out one refresh, and what it needs. */
export interface Lease {
  lease: number;
  record: TokenRecord;
  login: number;
}

/** How a refresh ended. */
export type RefreshOutcome =
  | SentTokens
  | { ended: true }
  | { failed: true; retryAfter?: number | undefined; status?: number | undefined };

/** The owner of one session as one page sees it. Rejections are {@link SecureTokenError}s. */
export interface Owner {
  /** Begins to tell the page of changes. A second call replaces the listener of the first. */
  open(listener: (message: OwnerMessage) => void, abilities: Abilities): Promise<OwnerSnapshot>;
  /** Reads the store again, or writes what it lacks. */
  hydrate(): Promise<OwnerSnapshot>;
  /** Resolves when the store has answered, whatever it said. */
  signIn(tokens: SentTokens & { remember?: boolean | undefined }): Promise<OwnerSnapshot>;
  /** As {@link signIn}. */
  signOut(): Promise<OwnerSnapshot>;
  /** Waits while others refresh. Rejects with the failure of the refresh. */
  token(query?: TokenQuery): Promise<TokenResult>;
  /** As {@link token}, unless the page is to carry out the refresh. */
  lease(query?: TokenQuery): Promise<TokenResult | Lease>;
  /** Resolves when the owner has committed the outcome. */
  answer(lease: number, outcome: RefreshOutcome): Promise<TokenResult>;
  /** Takes out the records that wait to be revoked. */
  revokes(): Promise<TokenRecord[]>;
}
