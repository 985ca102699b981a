// Reads `WWW-Authenticate`: whether a 401 is about the token that was sent.

/**
 * Whether a new token may help after a 401 with this header.
 *
 * Not when the header names other schemes only, or another `error` than `invalid_token` (RFC 6750 section 3.1): with
 * `insufficient_user_authentication` (RFC 9470), for one, the user has to act. Without the header nobody knows, and a page
 * sees it only if the server exposes it, so then it may.
 */
export function isInvalidToken(header: string | null, scheme: string): boolean {
  if (!header) return true;
  const ours = new RegExp(`\\b${scheme}\\b(.*)`, 'i').exec(header);
  return ours !== null && !/\berror\s*=(?!\s*"?invalid_token\b)/i.test(ours[1] as string);
}
