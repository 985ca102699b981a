// What can happen, as values that fast-check draws and shrinks: the order of the tasks is part of them.

import fc from 'fast-check';
import type { Choice } from './world.js';

export type Step =
  | { do: 'login'; window: number; refreshToken: boolean; expiresIn: number }
  | { do: 'logout' | 'hydrate' | 'ready' | 'fresh'; window: number }
  | { do: 'refresh'; window: number; rejected: 'any' | 'current' | 'old' | 'foreign' }
  /** The app itself, in Rust, signs in or out. */
  | { do: 'app'; present: boolean }
  /** `dispose`: the session ends and the page goes on. `reload`: the page ends, and with it what has not arrived. */
  | { do: 'dispose' | 'reload'; window: number; arrive: boolean }
  /** The computer sleeps: time passes, timers do not ring. */
  | { do: 'sleep'; seconds: number }
  | { do: 'timer' }
  /** All that is owed comes, in order and without faults, timers too. */
  | { do: 'quiet'; hydrate: boolean }
  | ({ do: 'task'; pick: number } & Choice);

export const WINDOWS = 2;

const window = fc.nat(WINDOWS - 1);
const weigh = <T>(weight: number, arbitrary: fc.Arbitrary<T>) => ({ weight, arbitrary });

const store = fc.oneof(
  { weight: 6, arbitrary: fc.constant('none' as const) },
  { weight: 4, arbitrary: fc.constantFrom('locked', 'denied', 'lost', 'timeout', 'landed', 'late') },
);
const server = fc.constantFrom('rotated', 'kept', 'network', 'busy', 'refused');

const login: fc.Arbitrary<Step & { window: number }> = fc.record({
  do: fc.constant('login'),
  window,
  refreshToken: fc.boolean(),
  expiresIn: fc.constantFrom(0, 5, 3600),
});
const end: fc.Arbitrary<Step & { window: number }> = fc.record({
  do: fc.constantFrom('dispose', 'reload'),
  window,
  arrive: fc.boolean(),
});
const read = (fault: Choice['store']): Step => ({ do: 'task', pick: 0, store: fault, server: 'kept' });

const step = fc.oneof(
  weigh(30, fc.record({ do: fc.constant('task'), pick: fc.nat(5), store, server })),
  weigh(3, fc.record({ do: fc.constant('timer') })),
  weigh(4, fc.record({ do: fc.constant('quiet'), hydrate: fc.boolean() })),
  weigh(3, login),
  weigh(3, fc.record({ do: fc.constant('logout'), window })),
  weigh(2, fc.record({ do: fc.constant('hydrate'), window })),
  weigh(1, fc.record({ do: fc.constantFrom('ready', 'fresh'), window })),
  weigh(
    5,
    fc.record({
      do: fc.constant('refresh'),
      window,
      rejected: fc.constantFrom('any', 'current', 'old', 'foreign'),
    }),
  ),
  weigh(2, fc.record({ do: fc.constant('app'), present: fc.boolean() })),
  weigh(2, end),
  weigh(1, fc.record({ do: fc.constant('sleep'), seconds: fc.constantFrom(1, 60, 4000) })),
);

/** What rarely follows on each other by chance, and is where sessions have failed. */
const habit = fc.oneof(
  fc.tuple(login, end).map(([first, { window: _, ...then }]) => [first, { ...then, window: first.window }]),
  // Another window's change whose read, the task after the notice, fails.
  fc
    .tuple(fc.boolean(), store)
    .map(([present, fault]) => [
      { do: 'quiet', hydrate: false } as const,
      { do: 'app', present } as const,
      ...Array.from({ length: 6 }, () => read(fault)),
    ]),
);

/** What one run does: it begins with a record in the store or without, over a vault that keeps a copy or does not. */
export const scenario = fc.record({
  stored: fc.boolean(),
  memoryCopy: fc.boolean(),
  steps: fc
    .array(fc.oneof(weigh(20, fc.tuple(step)), weigh(1, habit)), { maxLength: 60, size: 'max' })
    .map((lists): Step[] => lists.flat()),
});

export type Scenario = typeof scenario extends fc.Arbitrary<infer Value> ? Value : never;
