// Tells the developer once per page what only a change of the app can mend.

const told = new Set<string>();

/** Writes `text` to the console unless something about `topic` was written before. */
export function tellOnce(topic: string, text: string): void {
  if (told.has(topic)) return;
  told.add(topic);
  console.warn(`secure-token: ${text}`);
}
