// Carries out one refresh: calls what the app gave, within its deadline, and tells how it ended.

import type { TokenRecord } from '../ipc/commands.js';
import { SecureTokenError } from '../ipc/errors.js';
import type { RefreshOutcome } from '../ipc/owner.js';
import { call } from '../shared/emit.js';
import { tellOnce } from '../shared/tell-once.js';
import { areAsExpected, inspect, receive } from './receive.js';
import type { IsRefused, RefreshTools, Tokens } from './session-types.js';

/** What the app gave to refresh with. */
export interface Refresher {
  refresh(current: TokenRecord, tools: RefreshTools): Promise<Tokens>;
  /** In milliseconds. */
  deadline: number;
  isRefused: IsRefused | undefined;
  onError?: ((error: Error) => void) | undefined;
}

/** How a refresh ended, for the owner, and for the callers what it was that failed. */
export interface Ending {
  outcome: RefreshOutcome;
  failure?: { cause: unknown } | undefined;
}

/** The error for a refresh that waits for itself. Whoever judges the failure tells it to the developer. */
export function waitsForItself(): SecureTokenError {
  const message =
    'the refresh waits for itself: send its request with the fetch that it is given as its second argument, not with createAuthFetch or an HTTP client that uses it';
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

/** What the failure means to the owner. */
async function judge(cause: unknown, { isRefused, onError }: Refresher): Promise<RefreshOutcome> {
  const report = (error: unknown) => call(onError, error as Error);
  try {
    const [refusal, hint] = await Promise.all([import('./refusal.js'), import('./refresh-hint.js')]);
    const verdict = await refusal.judge(cause, isRefused, report);
    if ('failed' in verdict && verdict.status === undefined) hint.hintAtFailure(cause);
    return verdict;
  } catch (error) {
    // The page can load nothing any more. A failure that nobody has judged ends nothing.
    report(error);
    return { failed: true };
  }
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
    const outcome = await judge(cause, refresher);
    return 'failed' in outcome ? { outcome, failure: { cause } } : { outcome };
  } finally {
    end();
  }
}
