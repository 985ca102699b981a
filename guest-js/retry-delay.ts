// How long to wait before a server is asked again: full jitter, and what the server asks for.

const LONGEST_JITTER = 60_000;
const LONGEST_RETRY_AFTER = 3_600_000;

/** What `Retry-After` says (RFC 9110 section 10.2.3), in milliseconds from now. */
function retryAfter(cause: unknown): number {
  const { retryAfter, response, headers = response?.headers } = Object(cause);
  const value = retryAfter ?? headers?.get?.('retry-after');
  // A date is that of the server's clock, so it counts from the server's now.
  const wait = value * 1000 || Date.parse(value) - (Date.parse(headers?.get?.('date')) || Date.now()) || 0;
  return Math.min(Math.max(wait, 0), LONGEST_RETRY_AFTER);
}

/**
 * The milliseconds to wait after `cause`, the failure after `failures` others in a row.
 *
 * A random time of up to 1, 2, 4 … 60 seconds, so that clients which failed together do not return together ("Exponential
 * Backoff And Jitter", AWS Architecture Blog, 2015), on top of what the server asks for, up to an hour.
 */
export const retryDelay = (cause: unknown, failures: number): number =>
  retryAfter(cause) + (1 - Math.random()) * Math.min(1000 * 2 ** failures, LONGEST_JITTER);
