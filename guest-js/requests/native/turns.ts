// Lets a number of requests go at once. The others wait in the order in which they came.

/** Gives a turn back. Further calls do nothing. */
export type EndTurn = () => void;

export class Turns {
  private readonly waiting: (() => void)[] = [];
  private taken = 0;

  constructor(private readonly most: number) {}

  /** Resolves when it is the caller's turn. Rejects when `signal` aborts before, with whatever. */
  async take(signal: AbortSignal | null): Promise<EndTurn> {
    if (this.taken >= this.most) await this.wait(signal);
    // Whoever ends a turn hands it over to the first that waits.
    else this.taken++;
    let end = () => {
      end = () => {};
      const next = this.waiting.shift();
      if (next) next();
      else this.taken--;
    };
    return () => end();
  }

  private wait(signal: AbortSignal | null): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.waiting.splice(this.waiting.indexOf(go), 1);
        reject(new Error('aborted'));
      };
      const go = () => {
        signal?.removeEventListener('abort', leave);
        resolve();
      };
      signal?.addEventListener('abort', leave, { once: true });
      this.waiting.push(go);
    });
  }
}
