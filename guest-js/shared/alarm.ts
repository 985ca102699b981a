// A timer for a moment in time, also one that comes while the machine sleeps or is further away than setTimeout can count.

/**
 * Timers stand still while a machine sleeps, so the clock is looked at this often, in milliseconds. It is far below the 32
 * bits that browsers and Node keep a delay in; a longer one fires at once.
 */
const LONGEST_DELAY = 60_000;

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
