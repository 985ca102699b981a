// Carries out one refresh: calls what the app gave, within its deadline, and tells how it ended.

import type { TokenRecord } from '../ipc/commands.js';
import { SecureTokenError } from '../ipc/errors.js';
import type { RefreshOutcome } from '../ipc/owner.js';
import { call } from '../shared/emit.js';
import { tellOnce } from '../shared/tell-once.js';
import { endsSession } from './ends-session.js';
import { areAsExpected, inspect, receive } from './receive.js';
import { retryAfter } from './retry-delay.js';
import type { RefreshTools, Tokens } from './session-types.js';

/** What the app gave to refresh with. */
export interface Refresher {
  refresh(current: TokenRecord, tools: RefreshTools): Promise<Tokens>;
  /** In milliseconds. */
  deadline: number;
  onError?: ((error: Error) => void) | undefined;
}

/** How a refresh ended, for the owner, and for the callers what it was that failed. */
export interface Ending {
  outcome: RefreshOutcome;
  failure?: { cause: unknown };
}

/** Says once per page that a refresh waits for itself, and returns the error for it. */
export function waitsForItself(): SecureTokenError {
  const message =
    'refresh waits for itself: send its request with the fetch that it is given as its second argument, not with createAuthFetch or an HTTP client that uses it';
  tellOnce('waits-for-itself', message);
  return new SecureTokenError('invalid-argument', message);
}

/** Returns a promise that rejects at the deadline, and the function that ends the timer. */
function expire(after: number, stop: AbortController): [late: Promise<never>, end: () => void] {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const message = `refresh did not settle within ${after} ms. If it sends its request with createAuthFetch, it waits for itself: use the fetch that it is given`;
      tellOnce('waits-for-itself', message);
      reject(new SecureTokenError('timeout', message));
      stop.abort();
    }, after);
  });
  return [late, () => clearTimeout(timer)];
}

/** The old token may be used up, so the new one must not be thrown away for a fault of what came with it. */
function complain(fault: SecureTokenError, { onError }: Refresher): void {
  tellOnce('tokens', `refresh: ${fault.message}`);
  call(onError, fault);
}

function toOutcome(cause: unknown): RefreshOutcome {
  const { response, status = response?.status } = Object(cause);
  return {
    failed: true,
    retryAfter: retryAfter(cause) || undefined,
    status: Number.isInteger(status) ? status : undefined,
  };
}

/**
 * Buys the tokens that follow `record`. Never rejects.
 *
 * @param stop Aborts at the deadline; may be aborted before.
 */
export async function carryOut(
  refresher: Refresher,
  record: TokenRecord,
  stop: AbortController,
): Promise<Ending> {
  const { signal } = stop;
  const [late, end] = expire(refresher.deadline, stop);
  try {
    const bought = refresher.refresh(record, {
      signal,
      fetch: (input, init) => fetch(input, { signal, ...init }),
    });
    const tokens = await Promise.race([bought, late]);
    const usable = areAsExpected(tokens)
      ? tokens
      : await inspect(tokens, (fault) => complain(fault, refresher));
    return { outcome: receive(usable) };
  } catch (cause) {
    if (await endsSession(cause)) return { outcome: { ended: true } };
    import('./refresh-hint.js').then(
      ({ hintAtFailure }) => hintAtFailure(cause),
      (error) => call(refresher.onError, error),
    );
    return { outcome: toOutcome(cause), failure: { cause } };
  } finally {
    end();
  }
}
