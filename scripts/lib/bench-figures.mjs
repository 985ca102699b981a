// What is compared by the bench, the limits, and how a ratio comes from many measurements.

/** Ours against the base, at most. */
export const limits = {
  // get_token from memory against a command that does nothing, both over IPC.
  getOverNoop: 1.1,
  // A token that has not expired, through the owner of the session, against the same.
  freshTokenOverNoop: 1.1,
  // A login to the snapshot of another window.
  loginToOtherOverNoop: 3,
  // Start of the process to the session and its token in the page's memory, against the app without the plugin to its first answer.
  launchOverNoop: 1.1,
  // set_token against one SetSecret with as many bytes, on an item whose path is known.
  setOverSetSecret: 1.25,
  // clear_token against one Delete of an item whose path is known.
  clearOverDelete: 1.25,
  // list_accounts of 10,000 accounts against a raw client that asks for the attributes of as many items. Seconds would
  // be those of gnome-keyring: for each call it goes through all of its items.
  listOverRaw: 1.25,
};

/** Fewer wake-ups a minute are one that something else caused. */
const leastNoise = 3;

const digits = 4;
export const shown = (value) => value.toFixed(digits);
const rounded = (value) => Number(shown(value));

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return sorted.length % 2 === 1 ? sorted[Math.floor(middle)] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/**
 * The medians of what was measured in turn, ours first in each pair, and their quotient. All as they are shown, so that
 * whoever divides the two figures gets the third.
 */
export function compared(pairs) {
  const ours = rounded(median(pairs.map(([first]) => first)));
  const base = rounded(median(pairs.map(([, second]) => second)));
  return { ours, base, ratio: rounded(ours / base) };
}

/**
 * The wake-ups that the app has with the plugin beyond those without it: the medians of some minutes, in which both ran
 * at the same time. The noise is how much the minutes without the plugin differ from each other.
 */
export function idle(pairs) {
  const withoutPlugin = pairs.map(([, base]) => base);
  const [ours, base] = [median(pairs.map(([first]) => first)), median(withoutPlugin)];
  const noise = Math.max(leastNoise, Math.max(...withoutPlugin) - Math.min(...withoutPlugin));
  return { withPlugin: ours, withoutPlugin: base, added: ours - base, noise };
}
