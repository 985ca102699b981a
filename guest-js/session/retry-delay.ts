// How long to wait before a server is asked again: full jitter, and what the server asks for.

const LONGEST_JITTER = 120_000;
const LONGEST_RETRY_AFTER = 3_600_000;

/** What `Retry-After` says (RFC 9110 section 10.2.3), in milliseconds from now. */
export function retryAfter(cause: unknown): number {
  const { retryAfter, response, headers = response?.headers } = Object(cause);
  const value = retryAfter ?? headers?.get?.('retry-after');
  // A date is that of the server's clock, so it counts from the server's now.
  const wait = value * 1000 || Date.parse(value) - (Date.parse(headers?.get?.('date')) || Date.now()) || 0;
  return Math.min(Math.max(wait, 0), LONGEST_RETRY_AFTER);
}

/**
 * The milliseconds to wait after `cause`, the failure after `failures` others in a row.
 *
 * What the server asks for, up to an hour, and on top a random time of up to 2, 4, 8 … 120 seconds, or of up to as long as
 * the server asked for: clients that failed together, or were told the same, must not return together ("Exponential Backoff
 * And Jitter", AWS Architecture Blog, 2015).
 */
export function retryDelay(cause: unknown, failures: number): number {
  const asked = retryAfter(cause);
  return asked + (1 - Math.random()) * Math.min(Math.max(2000 * 2 ** failures, asked), LONGEST_JITTER);
}
