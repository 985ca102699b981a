// Lets a number of requests go at once. The others wait in the order in which they came.

/** Gives a turn back. Further calls do nothing. */
export type EndTurn = () => void;

export class Turns {
  private readonly waiting: (() => void)[] = [];
  private taken = 0;

  constructor(private readonly most: number) {}

  /** Resolves when it is the caller's turn, or when `signal` aborts: then there is none to give back. */
  async take(signal: AbortSignal | null): Promise<EndTurn> {
    if (this.taken < this.most) this.taken++;
    // Whoever ends a turn hands it over to the first that waits.
    else if (!(await this.wait(signal))) return () => {};
    let end = () => {
      end = () => {};
      const next = this.waiting.shift();
      if (next) next();
      else this.taken--;
    };
    return () => end();
  }

  private wait(signal: AbortSignal | null): Promise<boolean> {
    return new Promise((resolve) => {
      const go = () => {
        signal?.removeEventListener('abort', leave);
        resolve(true);
      };
      const leave = () => {
        this.waiting.splice(this.waiting.indexOf(go), 1);
        signal?.removeEventListener('abort', leave);
        resolve(false);
      };
      this.waiting.push(go);
      signal?.addEventListener('abort', leave);
      if (signal?.aborted) leave();
    });
  }
}
