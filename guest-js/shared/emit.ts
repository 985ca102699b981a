// Keeps listeners, and calls them so that one that throws stops neither the others nor the caller.

/** Passes over those that are not there. The error of a listener is reported by the page as uncaught. */
export function emit<T>(listeners: Iterable<((value: T) => void) | undefined>, value: T): void {
  for (const listener of [...listeners]) {
    try {
      listener?.(value);
    } catch (error) {
      queueMicrotask(() => {
        throw error;
      });
    }
  }
}

/** Adds a listener, and returns the function that ends it. One function given twice is two listeners. */
export function addListener<T>(listeners: Set<(value: T) => void>, listener: (value: T) => void): () => void {
  const own = (value: T) => listener(value);
  listeners.add(own);
  return () => void listeners.delete(own);
}
