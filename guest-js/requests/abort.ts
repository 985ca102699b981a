// How a request ends early: by its signal, or because somebody else has signed in.

/** Webviews from before March 2022 do not have the method of this name, and keep no reason. */
export function throwIfAborted(signal?: AbortSignal | null) {
  if (signal?.aborted)
    throw signal.reason === undefined ? new DOMException('aborted', 'AbortError') : signal.reason;
}

/** `work`, but a signal that aborts does not wait for it, and all it rejects with else is errors. */
export async function orAbort<T>(work: Promise<T>, signal?: AbortSignal | null): Promise<T> {
  let stop = () => {};
  const aborted = new Promise<never>((_, reject) => {
    stop = reject;
    signal?.addEventListener('abort', stop);
    if (signal?.aborted) stop();
  });
  try {
    return await Promise.race([aborted, work]);
  } catch (cause) {
    // Each fetch has its own error for this; callers know that of the standard.
    throwIfAborted(signal);
    if (cause instanceof Error) throw cause;
    // A refresh may throw a Response, and plugin-http throws texts. Assigned, since old webviews ignore the option `cause`.
    const { status } = Object(cause);
    // The text of what was thrown may hold anything, so that it is not repeated.
    throw Object.assign(new Error(`the request or its refresh failed${status ? ` with ${status}` : ''}`), {
      cause,
      status,
    });
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}

/**
 * The request was made under another login. An `AbortError`, because libraries that repeat what has failed leave those alone:
 * they would repeat it as somebody else.
 */
export const loginChanged = () =>
  Object.assign(new Error('not sent: somebody else has signed in since the request was made'), {
    name: 'AbortError',
    code: 'conflict',
  });
