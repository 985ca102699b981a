// Takes the arguments of a fetch when it is called, as the Fetch standard does: what the caller changes later has no effect.

/** What `fetch` takes, and what createAuthFetch takes beside it. */
export interface AuthFetchInit extends RequestInit {
  /**
   * `false`: a response that means "expired" is handed on, without a refresh and without sending the request again. For an
   * endpoint that answers 401 for another reason, such as a wrong current password.
   */
  repeat?: boolean | undefined;
}

/** WebKit reads bytes and URLSearchParams when a request is sent, even those of a `Request`: so they are copied here. */
function copyBody(body: BodyInit): BodyInit {
  if (body instanceof FormData) {
    const copy = new FormData();
    for (const [name, value] of body) copy.append(name, value);
    return copy;
  }
  if (body instanceof URLSearchParams) return new URLSearchParams(body);
  if (body instanceof ArrayBuffer) return body.slice(0);
  if (ArrayBuffer.isView(body))
    return new Uint8Array(body.buffer as ArrayBuffer, body.byteOffset, body.byteLength).slice();
  return body;
}

/** Copies `init` with its body. Headers and the like are read before anything can change them. */
export function copyInit(init: AuthFetchInit | null | undefined): AuthFetchInit {
  const copy: Record<string, unknown> = {};
  // With inherited members, which fetch reads too: a `Request` may be the init of another.
  for (const name in init) {
    const value = init[name as keyof AuthFetchInit];
    if (value !== undefined) copy[name] = value;
  }
  if (copy.body) copy.body = copyBody(copy.body as BodyInit);
  return copy;
}
