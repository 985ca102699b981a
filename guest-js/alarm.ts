// A timer for a moment in time, also one that is further away than setTimeout can count.

/** Browsers and Node keep a delay in 32 bits; a longer one fires at once. */
const LONGEST_DELAY = 2 ** 31 - 1;

/** Returns a function that sets the moment (milliseconds since the Unix epoch), or ends the alarm without one. */
export function createAlarm(ring: () => void): (at?: number) => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const set = (at?: number) => {
    clearTimeout(timer);
    if (at === undefined) return;
    timer = setTimeout(() => (Date.now() < at ? set(at) : ring()), Math.min(at - Date.now(), LONGEST_DELAY));
  };
  return set;
}
