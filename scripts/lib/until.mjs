// Waits for a condition; the error says which one never came.
import { setTimeout as pause } from 'node:timers/promises';

const interval = 50;

/** Resolves with the first truthy value of `condition`. An error it throws counts as "not yet". */
export async function until(what, condition, { timeout = 120_000 } = {}) {
  const deadline = performance.now() + timeout;
  let last;
  for (;;) {
    try {
      const value = await condition();
      if (value) return value;
      last = undefined;
    } catch (error) {
      last = error;
    }
    if (performance.now() >= deadline) {
      throw new Error(`waited ${timeout / 1000} s in vain: ${what}`, { cause: last });
    }
    await pause(interval);
  }
}
