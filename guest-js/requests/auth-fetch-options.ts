// The options of createAuthFetch, and their rules.

/** Which requests get the token, and what sends them. */
export interface AuthFetchOptions {
  /**
   * The origins that get the token, exactly as `URL.origin` writes them: `https://api.example.com`, with a port if it is
   * not the usual one, without a path. `https:` only, or `http:` on this machine.
   */
  origins: readonly string[];
  /**
   * **For development only**: `http:` origins that get the token although it crosses the network in the clear, such as
   * `http://10.0.2.2:3000`, the development machine as the Android emulator sees it. The console warns of them once. `false`
   * means none, so `import.meta.env.DEV && [...]` may be written.
   */
  insecureOrigins?: readonly string[] | false | undefined;
  /** What sends the request. Default: the `fetch` of the page when this is called. `@tauri-apps/plugin-http` has one too. */
  fetch?: typeof fetch | undefined;
  /** The scheme before the token in `Authorization` (RFC 9110 section 11.1). Default: `Bearer`. Some APIs want `Token`. */
  scheme?: string | undefined;
  /**
   * Whether a response means that the token has expired. Default: a 401, unless its `WWW-Authenticate` names another scheme,
   * or another reason than `invalid_token`. `false`: no response does.
   *
   * Is called with every response to a request that carried the token, except to the one that is sent again. To look into
   * the body, read a `clone()` of the response.
   */
  expired?: ((response: Response) => boolean | Promise<boolean>) | false | undefined;
}

/** `http:` only where it does not leave the machine. No wildcard: URL takes `*` for a name, which would match nothing. */
const SAFE = /^https:[^*]+$|^http:..(localhost|127(\.\d+){3}|\[::1])(:\d+)?$/;

/** @throws A `TypeError` with the code `invalid-argument`. */
export function refuse(message: string): never {
  throw Object.assign(new TypeError(message), { code: 'invalid-argument' });
}

function isOrigin(text: string): boolean {
  try {
    return new URL(text).origin === text;
  } catch {
    return false;
  }
}

/** Returns the origins that get the token. */
export function allowedOrigins(
  origins: AuthFetchOptions['origins'],
  insecureOrigins: AuthFetchOptions['insecureOrigins'],
): Set<string> {
  const allowed = new Set<string>();
  const allow = (list: readonly string[], fit: RegExp) => {
    if (!Array.isArray(list)) refuse("origins must be a list: ['https://api.example.com']");
    for (const origin of list) {
      if (!isOrigin(origin) || !fit.test(origin)) refuse(`not a bare https: or loopback origin: ${origin}`);
      allowed.add(origin);
    }
  };
  allow(origins, SAFE);
  if (insecureOrigins) {
    allow(insecureOrigins, /^http:/);
    console.warn(`secure-token: tokens go unencrypted to ${insecureOrigins}; never ship this`);
  }
  if (!allowed.size) refuse('no origins');
  return allowed;
}
