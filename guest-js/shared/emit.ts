// Keeps listeners, and calls them so that one that throws stops neither the others nor the caller.

/** Calls a listener, if there is one. What it throws is reported by the page as uncaught. */
export function call<T>(listener: ((value: T) => void) | undefined, value: T): void {
  try {
    listener?.(value);
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}

/** Calls all listeners, except those that another one has removed meanwhile. */
export function emit<T>(listeners: Set<(value: T) => void>, value: T): void {
  for (const listener of [...listeners]) if (listeners.has(listener)) call(listener, value);
}

/** Adds a listener, and returns the function that ends it. One function given twice is two listeners. */
export function addListener<T>(listeners: Set<(value: T) => void>, listener: (value: T) => void): () => void {
  const own = (value: T) => listener(value);
  listeners.add(own);
  return () => void listeners.delete(own);
}
