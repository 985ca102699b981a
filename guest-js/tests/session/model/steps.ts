// What a scenario is made of.

import fc from 'fast-check';
import type { ServerResponse, StoreFault } from './world.js';

export const WINDOWS = 2;

const window = fc.nat({ max: WINDOWS - 1 });
const store = fc.oneof(
  { weight: 8, arbitrary: fc.constant<StoreFault>('none') },
  { weight: 1, arbitrary: fc.constantFrom<StoreFault>('locked', 'denied') },
);
const server = fc.constantFrom<ServerResponse>(
  'rotated',
  'rotated',
  'rotated',
  'kept',
  'network',
  'busy',
  'refused',
);

export const step = fc.oneof(
  // Most of the time something that is owed happens.
  {
    weight: 30,
    arbitrary: fc.record({ kind: fc.constant('take' as const), pick: fc.nat({ max: 20 }), store, server }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('login' as const), window }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('logout' as const), window }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('request' as const), window }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('refresh' as const), window }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('hydrate' as const), window }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('reload' as const), window }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('away' as const), window }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('back' as const), window }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('dispose' as const), window }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('strict' as const), clears: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('timer' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('expire' as const) }) },
);

export type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

export interface Scenario {
  isStored: boolean;
  steps: Step[];
}

export const scenario: fc.Arbitrary<Scenario> = fc.record({
  isStored: fc.boolean(),
  steps: fc.array(step, { maxLength: 60 }),
});
