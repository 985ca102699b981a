// Calls listeners so that one that throws stops neither the others nor the caller.

/** The error of a listener is reported by the page as uncaught. */
export function emit<T>(listeners: Iterable<(value: T) => void>, value: T): void {
  for (const listener of [...listeners]) {
    try {
      listener(value);
    } catch (error) {
      queueMicrotask(() => {
        throw error;
      });
    }
  }
}
