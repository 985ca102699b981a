// Makes a `Response` that is as the one of the page's fetch, of what Rust tells of it.

import type { ResponseHead } from '../../ipc/native-requests.js';

/** What the constructor of `Response` takes (Fetch standard, "initialize a response"). */
const isOrdinary = (status: number) => status >= 200 && status <= 599;

/** The headers of a response from the network cannot be changed. */
function freeze(headers: Headers): void {
  const value = () => {
    throw new TypeError('the headers of a response are immutable');
  };
  for (const name of ['append', 'delete', 'set']) Object.defineProperty(headers, name, { value });
}

/** Gives `response` what the constructor cannot. */
function complete(response: Response, head: ResponseHead): Response {
  const { status, url, redirected, type } = head;
  const isOpaque = type === 'opaqueredirect';
  const shown = isOrdinary(status) && !isOpaque ? undefined : isOpaque ? 0 : status;
  const values = {
    url,
    redirected,
    type,
    ...(shown !== undefined && { status: shown, ok: false, statusText: isOpaque ? '' : head.statusText }),
    clone: () => complete(Response.prototype.clone.call(response), head),
  };
  for (const [name, value] of Object.entries(values))
    Object.defineProperty(response, name, { value, configurable: true });
  freeze(response.headers);
  return response;
}

export function makeResponse(head: ResponseHead, body: ReadableStream<Uint8Array> | null): Response {
  const { status, statusText, headers, type } = head;
  const response =
    type === 'opaqueredirect' || !isOrdinary(status)
      ? new Response(body, { headers: type === 'opaqueredirect' ? [] : headers })
      : new Response(body, { status, statusText, headers });
  return complete(response, head);
}
