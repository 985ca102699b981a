// The commands of requests that Rust sends.

import { type Frame, invokeFrame } from './frame.js';
import { invoke } from './invoke.js';
import type { OwnerSnapshot } from './owner.js';

/** The most bytes of a body that one call carries. */
export const PIECE = 1 << 20;

/** What Rust is told of a request. */
export interface RequestHead {
  /** Names the request within the page. */
  id: number;
  account: string;
  method: string;
  url: string;
  headers: [name: string, value: string][];
  redirect: RequestRedirect;
  /** `whole`: it is in the same frame. `stream`: it comes by {@link writeBody}. */
  body: 'none' | 'whole' | 'stream';
  /** Of a body that comes in pieces, in bytes, if known. */
  length?: number | undefined;
  /** `false`: a 401 is handed on as it is. */
  repeat?: boolean | undefined;
  /** The number that the owner has given to the login under which the request was made. */
  login?: number | undefined;
}

/** What Rust tells of a response. */
export interface ResponseHead {
  status: number;
  statusText: string;
  headers: [name: string, value: string][];
  url: string;
  redirected: boolean;
  type: 'default' | 'opaqueredirect';
  /** `whole`: all of it is in the same frame. `more`: the rest is to be read. */
  body: 'none' | 'whole' | 'more';
}

/** What comes of a sign-in. No token in it. */
export interface SignInResult {
  ok: boolean;
  status: number;
  body: unknown;
  snapshot: OwnerSnapshot;
}

/** Sends a request. Resolves with the head of the response and the first bytes of its body. */
export const sendRequest = (head: RequestHead, body?: Uint8Array): Promise<Frame<ResponseHead>> =>
  invokeFrame('native_fetch', head, body);

/** Reads the next bytes of a response. */
export const readBody = (id: number): Promise<Frame<{ end: boolean }>> => invokeFrame('native_read', { id });

/** Hands over the next bytes of a request, at most {@link PIECE}. Resolves when there is room for more. */
export const writeBody = (id: number, body: Uint8Array | undefined, end: boolean): Promise<unknown> =>
  invokeFrame('native_write', { id, end }, body);

/** Ends a request, whatever has become of it. */
export const abortRequest = (id: number): Promise<null> => invoke('native_abort', { id });

/** Signs in by a request that Rust composes of `body`. */
export const signIn = (args: {
  account: string;
  body: unknown;
  remember: boolean | undefined;
}): Promise<SignInResult> => invoke('native_sign_in', args);

/** An address in this page that shows what is at `url`. */
export const mediaUrl = (args: { account: string; url: string }): Promise<string> =>
  invoke('native_media', args);
