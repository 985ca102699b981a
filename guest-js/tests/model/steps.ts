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
const rarely = (weight: number, arbitrary: fc.Arbitrary<Step>) => ({ weight, arbitrary });

const store = fc.oneof(
  { weight: 6, arbitrary: fc.constant('none' as const) },
  { weight: 4, arbitrary: fc.constantFrom('locked', 'denied', 'lost', 'timeout', 'landed', 'late') },
);
const server = fc.constantFrom('rotated', 'kept', 'network', 'busy', 'refused');

const step = fc.oneof(
  rarely(30, fc.record({ do: fc.constant('task'), pick: fc.nat(5), store, server })),
  rarely(3, fc.record({ do: fc.constant('timer') })),
  rarely(2, fc.record({ do: fc.constant('quiet'), hydrate: fc.boolean() })),
  rarely(
    3,
    fc.record({
      do: fc.constant('login'),
      window,
      refreshToken: fc.boolean(),
      expiresIn: fc.constantFrom(0, 5, 3600),
    }),
  ),
  rarely(3, fc.record({ do: fc.constant('logout'), window })),
  rarely(2, fc.record({ do: fc.constant('hydrate'), window })),
  rarely(1, fc.record({ do: fc.constantFrom('ready', 'fresh'), window })),
  rarely(
    5,
    fc.record({
      do: fc.constant('refresh'),
      window,
      rejected: fc.constantFrom('any', 'current', 'old', 'foreign'),
    }),
  ),
  rarely(2, fc.record({ do: fc.constant('app'), present: fc.boolean() })),
  rarely(3, fc.record({ do: fc.constantFrom('dispose', 'reload'), window, arrive: fc.boolean() })),
  rarely(1, fc.record({ do: fc.constant('sleep'), seconds: fc.constantFrom(1, 60, 4000) })),
);

/** What one run does: it begins with a record in the store or without, over a vault that keeps a copy or does not. */
export const scenario = fc.record({
  stored: fc.boolean(),
  memoryCopy: fc.boolean(),
  steps: fc.array(step, { maxLength: 60, size: 'max' }),
});

export type Scenario = typeof scenario extends fc.Arbitrary<infer Value> ? Value : never;
