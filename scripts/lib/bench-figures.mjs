// What is compared by the bench, the limits, and how a ratio comes from pairs.

/** Ours against the base, at most. */
export const limits = {
  // get_token from memory against a command that does nothing, both over IPC.
  getOverNoop: 1.1,
  // Start of the process to the token in the page's memory, against a start without the plugin to the first answer.
  launchOverNoop: 1.1,
  // set_token against one CreateItem of the Secret Service with as many bytes.
  setOverCreateItem: 1.25,
};

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return sorted.length % 2 === 1 ? sorted[Math.floor(middle)] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** The median of the pairs' own ratios: a slow moment of the machine hits both halves of a pair. */
export function medianOfPairs(pairs) {
  return {
    ratio: median(pairs.map(([ours, base]) => ours / base)),
    ours: median(pairs.map(([ours]) => ours)),
    base: median(pairs.map(([, base]) => base)),
  };
}
