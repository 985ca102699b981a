// Takes the arguments of a native fetch when it is called, as the Fetch standard does.

import { PIECE } from '../../ipc/native-requests.js';
import { type AuthFetchInit, copyInit } from '../request-init.js';

/** A body as it can be sent: at once, by parts, or as it comes. */
export type Upload = Uint8Array | Blob | ReadableStream<Uint8Array>;

/** The arguments of one call. */
export interface Taken {
  method: string;
  url: string;
  headers: [name: string, value: string][];
  redirect: RequestRedirect;
  repeat: boolean;
  signal: AbortSignal | null;
  upload: Promise<Upload | undefined>;
  /** Ends a stream that nobody reads yet. */
  cancel(reason: unknown): void;
}

/**
 * The names that a page cannot set (Fetch standard, "forbidden request-header"). Browsers leave them out of a `Request` by
 * themselves.
 */
const FORBIDDEN =
  /^(accept-(charset|encoding)|access-control-request-.*|connection|content-length|cookie2?|date|dnt|expect|host|keep-alive|origin|referer|set-cookie|te|trailer|transfer-encoding|upgrade|via|(proxy|sec)-.*)$/;

const NOTHING = new Uint8Array(0);

/** What stands for a body in the `Request` that checks the arguments: it has the same type, and none of the bytes. */
function standInFor(body: BodyInit): BodyInit {
  if (body instanceof Blob) return new Blob([], { type: body.type });
  const isCostly = body instanceof ReadableStream || body instanceof ArrayBuffer || ArrayBuffer.isView(body);
  return isCostly ? NOTHING : body;
}

const bytesOf = async (blob: Blob) => new Uint8Array(await new Response(blob).arrayBuffer());

/** A body with parts in files does not have to be in memory as a whole. */
async function uploadOf(body: BodyInit | null | undefined, request: Request): Promise<Upload | undefined> {
  // The constructor refuses a stream that somebody reads or has read.
  if (body instanceof ReadableStream) return new Response(body).body ?? undefined;
  if (body instanceof ArrayBuffer) return new Uint8Array(body);
  if (ArrayBuffer.isView(body)) return body as Uint8Array;
  if (body instanceof Blob) return body.size > PIECE ? body : bytesOf(body);
  if (typeof body === 'string' || body instanceof URLSearchParams) return new TextEncoder().encode(`${body}`);
  if (request.body === null) return undefined;
  const blob = await request.blob();
  return blob.size > PIECE ? blob : bytesOf(blob);
}

/** @throws `TypeError` where the standard has one. */
export function take(input: RequestInfo | URL, init: AuthFetchInit | undefined): Taken {
  const { body, repeat = true, ...members } = copyInit(init);
  // It resolves, normalises and refuses as fetch itself does.
  const request = new Request(input, body == null ? members : { ...members, body: standInFor(body) });
  if (request.integrity) throw new TypeError('a native request cannot check integrity');
  const { method, redirect } = request;
  // A Request of an old webview, or of one that collects garbage too early, does not follow its signal.
  const { signal = input instanceof Request ? input.signal : null } = members;
  const upload = uploadOf(body, request);
  // Whoever is aborted first does not wait for it.
  upload.catch(() => {});
  return {
    method,
    // A fragment is for the page alone.
    url: request.url.replace(/#.*/s, ''),
    headers: [...request.headers].filter(([name]) => !FORBIDDEN.test(name)),
    redirect,
    repeat,
    signal,
    upload,
    cancel(reason) {
      if (body instanceof ReadableStream) body.cancel(reason).catch(() => {});
    },
  };
}
