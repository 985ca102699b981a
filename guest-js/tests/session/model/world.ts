// What the outside world owes the pages and the owner: messages, responses and timers, each a task that waits to be picked.

export interface Task {
  /** For the log of a failing run. */
  what: string;
  run(choice: Choice): void;
}

/** What becomes of the store call or the request that a picked task stands for. */
export interface Choice {
  store: StoreFault;
  server: ServerResponse;
}

export type StoreFault = 'none' | 'locked' | 'denied';
/** `kept`: the refresh token stays in use. `rotated`: it is used up, and another one came. */
export type ServerResponse = 'rotated' | 'kept' | 'network' | 'busy' | 'refused';

export const CALM: Choice = { store: 'none', server: 'rotated' };

interface Timer {
  id: number;
  at: number;
  run(): void;
}

export class World {
  now = Date.UTC(2026, 0, 1);
  readonly tasks: Task[] = [];
  /** What happened, for the report of a failing run. */
  readonly log: string[] = [];
  /** Promises that did not hold. */
  readonly broken: string[] = [];
  #timers: Timer[] = [];
  #ids = 0;

  owe(what: string, run: Task['run']): void {
    this.tasks.push({ what, run });
  }

  /** Takes the `pick`th of what is owed, counted round and round. */
  take(pick: number): Task | undefined {
    return this.tasks.splice(pick % this.tasks.length || 0, 1)[0];
  }

  demand(holds: boolean, what: string): void {
    if (!holds) this.broken.push(what);
  }

  setTimeout(run: () => void, delay = 0): number {
    const id = ++this.#ids;
    this.#timers.push({ id, at: this.now + Math.max(delay, 1), run });
    return id;
  }

  clearTimeout(id?: number): void {
    this.#timers = this.#timers.filter((timer) => timer.id !== id);
  }

  /** Goes to the next timer and takes it. */
  takeTimer(): Timer | undefined {
    const next = this.#timers.reduce<Timer | undefined>(
      (first, timer) => (first && first.at <= timer.at ? first : timer),
      undefined,
    );
    if (!next) return undefined;
    this.clearTimeout(next.id);
    this.now = Math.max(this.now, next.at);
    return next;
  }
}
