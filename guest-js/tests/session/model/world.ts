// What the outside world owes the pages: answers, notices and timers, each a task that waits until it is picked.

export interface Task {
  /** For the log of a failing run. */
  what: string;
  run(choice: Choice): void;
}

/** What goes wrong with the store call or the request that a picked task stands for. */
export interface Choice {
  store: StoreFault;
  server: ServerAnswer;
}

/** `timeout`: not carried out. `landed` and `late`: a timeout too, but carried out before or after the answer. */
export type StoreFault = 'none' | 'locked' | 'denied' | 'lost' | 'timeout' | 'landed' | 'late';
/** `kept`: the refresh token stays in use. */
export type ServerAnswer = 'rotated' | 'kept' | 'network' | 'busy' | 'refused';

export const CALM: Choice = { store: 'none', server: 'kept' };

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
  /** Logins whose tokens a logout has cleared: none may be stored again. */
  readonly ended = new Set<number>();
  #timers: Timer[] = [];
  #ids = 0;

  owe(what: string, run: Task['run']): Task {
    const task = { what, run };
    this.tasks.push(task);
    return task;
  }

  /** Takes the `pick`th of what is owed, counted round and round. */
  take(pick: number): Task | undefined {
    return this.tasks.splice(pick % this.tasks.length || 0, 1)[0];
  }

  drop(task: Task): void {
    const index = this.tasks.indexOf(task);
    if (index >= 0) this.tasks.splice(index, 1);
  }

  setTimeout(run: () => void, delay = 0): number {
    const id = ++this.#ids;
    this.#timers.push({ id, at: this.now + Math.max(delay, 1), run });
    return id;
  }

  clearTimeout(id?: number): void {
    this.#timers = this.#timers.filter((timer) => timer.id !== id);
  }

  /** Goes to the next timer and takes it, unless it is not due before `end`. */
  takeTimer(end = Number.POSITIVE_INFINITY): Timer | undefined {
    const next = this.#timers.reduce<Timer | undefined>(
      (first, timer) => (first && first.at <= timer.at ? first : timer),
      undefined,
    );
    if (!next || next.at > end) return undefined;
    this.clearTimeout(next.id);
    this.now = Math.max(this.now, next.at);
    return next;
  }
}
