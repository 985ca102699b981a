// How long to wait before a server is asked again: full jitter, and what the server asks for.

const LONGEST_JITTER = 120_000;
const LONGEST_RETRY_AFTER = 3_600_000;

/** What `Retry-After` says (RFC 9110 section 10.2.3), in milliseconds from now, at most an hour. 0: nothing. */
export function retryAfter(cause: unknown): number {
  const { retryAfter, response, headers = response?.headers } = Object(cause);
  const value = retryAfter ?? headers?.get?.('retry-after');
  // A date is that of the server's clock, so it counts from the server's now.
  const wait = value * 1000 || Date.parse(value) - (Date.parse(headers?.get?.('date')) || Date.now()) || 0;
  return Math.min(Math.max(wait, 0), LONGEST_RETRY_AFTER);
}

/**
 * The milliseconds to wait after the failure that came after `failures` others in a row.
 *
 * What the server asks for, up to an hour, and on top a random time of up to 2, 4, 8 … 120 seconds, or of up to as long as
 * the server asked for: clients that failed together, or were told the same, must not return together ("Exponential Backoff
 * And Jitter", AWS Architecture Blog, 2015).
 */
export function delayAfter(asked: number, failures: number): number {
  const wait = Math.min(asked, LONGEST_RETRY_AFTER);
  return wait + (1 - Math.random()) * Math.min(Math.max(2000 * 2 ** failures, wait), LONGEST_JITTER);
}

/** {@link delayAfter} `cause`, which may say what the server asks for. */
export const retryDelay = (cause: unknown, failures: number): number =>
  delayAfter(retryAfter(cause), failures);
