// One queue of moments for all sessions of the simulation: it stands in for setTimeout and the clock.

import { drained } from '../../support/realm.js';

interface Moment {
  at: number;
  id: number;
  run: () => void;
}

/** Moments are rounded up to this many milliseconds, so that many share one turn. */
const TICK = 50;

export class Events {
  now = Date.UTC(2026, 0, 1);
  /** A binary heap: the parent of the moment at `i` is at `(i - 1) >> 1` and not later. */
  readonly #heap: Moment[] = [];
  readonly #ended = new Set<number>();
  #ids = 0;

  /** Runs `run` after `delay` milliseconds, at the next tick at the earliest. Answers what {@link cancel} takes. */
  after(delay: number, run: () => void): number {
    const id = ++this.#ids;
    const at = Math.ceil((this.now + Math.max(delay, 1)) / TICK) * TICK;
    this.#add({ at, id, run });
    return id;
  }

  cancel(id?: number): void {
    if (id !== undefined) this.#ended.add(id);
  }

  /** Goes on until `end`, and lets every promise go on after each tick. */
  async runUntil(end: number): Promise<void> {
    for (let first = this.#heap[0]; first && first.at <= end; first = this.#heap[0]) {
      this.now = first.at;
      while (this.#heap[0]?.at === this.now) {
        const { id, run } = this.#takeFirst();
        if (!this.#ended.delete(id)) run();
      }
      await drained();
    }
    this.now = end;
  }

  #add(moment: Moment): void {
    const heap = this.#heap;
    let index = heap.push(moment) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = heap[parent] as Moment;
      if (above.at <= moment.at) break;
      heap[index] = above;
      index = parent;
    }
    heap[index] = moment;
  }

  #takeFirst(): Moment {
    const heap = this.#heap;
    const first = heap[0] as Moment;
    const last = heap.pop() as Moment;
    if (heap.length === 0) return first;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child + 1 < heap.length && (heap[child + 1] as Moment).at < (heap[child] as Moment).at) child++;
      const below = heap[child];
      if (!below || below.at >= last.at) break;
      heap[index] = below;
      index = child;
    }
    heap[index] = last;
    return first;
  }
}
