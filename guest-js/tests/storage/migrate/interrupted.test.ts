// migrateFrom when the page dies between any two calls, and when any call fails.

import { describe, expect, it } from 'vitest';
import { OLD, type Trouble, World } from './world.js';

const PATH = ['read', 'get_token', 'store_info', 'set_token', 'get_token', 'read', 'remove', 'read'];
const steps = PATH.flatMap((name, step) =>
  (['before', 'after'] as const).map((when) => ({ name, step, when })),
);

it('these are the calls of a migration', async () => {
  const world = new World(OLD);
  expect(await world.run()).toBe('moved');
  expect(world.calls).toEqual(PATH);
  expect(world.old).toBeUndefined();
  expect(world.stored).toEqual(OLD);
});

it.each(steps)('P2 the page dies at call $step, $when $name has acted', async ({ step, when }) => {
  const world = new World(OLD);
  expect(await world.run({ step, when, dies: true })).toBe('died');
  world.expectNothingLost(OLD);
  const finished = await world.run();
  expect(finished).toBe(step < 6 || (step === 6 && when === 'before') ? 'moved' : 'absent');
  expect(world.old).toBeUndefined();
  expect(world.stored).toEqual(OLD);
  expect(await world.run()).toBe('absent');
});

it('P2 every page dies one call later than the one before', async () => {
  for (const when of ['before', 'after'] as const) {
    const world = new World(OLD);
    for (let step = 0; step < PATH.length; step++) {
      await world.run({ step, when, dies: true });
      world.expectNothingLost(OLD);
      if (world.calls.length <= step) break;
    }
    await world.run();
    expect(world.old).toBeUndefined();
    expect(world.stored).toEqual(OLD);
  }
});

describe.each(steps)('P1 call $step fails, $when $name has acted', ({ name, step, when }) => {
  const trouble: Trouble = { step, when, dies: false };

  it('rejects with its error, and nothing is lost', async () => {
    const world = new World(OLD);
    const error = await world.run(trouble).catch((error) => error);
    expect(error).toMatchObject({ code: 'locked' });
    // What the source itself rejects with is passed on; the commands reject with errors.
    expect(error instanceof Error).toBe(name.includes('_'));
    world.expectNothingLost(OLD);
    expect(world.calls.length).toBe(step + 1);
  });

  it('the next page finishes', async () => {
    const world = new World(OLD);
    await expect(world.run(trouble)).rejects.toMatchObject({ code: 'locked' });
    await world.run();
    expect(world.old).toBeUndefined();
    expect(world.stored).toEqual(OLD);
  });
});

it('P1 a key store that stays locked keeps the old value, however often it is tried', async () => {
  const world = new World(OLD);
  for (let turn = 0; turn < 3; turn++) {
    await expect(world.run({ step: 1, when: 'before', dies: false })).rejects.toMatchObject({
      name: 'SecureTokenError',
      code: 'locked',
      retryable: true,
    });
    expect(world.old).toEqual(OLD);
    expect(world.vault.records.size).toBe(0);
  }
});

describe('P2 of an account that has its own record', () => {
  const NEWER = { token: 'newer', refreshToken: 'r-newer' };
  const SHORT = PATH.filter((name, step) => name !== 'set_token' && step !== 4);

  it('these are the calls', async () => {
    const world = new World(OLD, NEWER);
    expect(await world.run()).toBe('superseded');
    expect(world.calls).toEqual(SHORT);
  });

  it.each(SHORT.flatMap((_, step) => [true, false].map((dies) => ({ step, dies }))))(
    'call $step, dies: $dies: the record stays, the next call finishes',
    async ({ step, dies }) => {
      for (const when of ['before', 'after'] as const) {
        const world = new World(OLD, NEWER);
        await world.run({ step, when, dies }).catch((error) => expect(error.code).toBe('locked'));
        expect(world.stored).toEqual(NEWER);
        await world.run();
        expect(world.stored).toEqual(NEWER);
        expect(world.old).toBeUndefined();
      }
    },
  );
});
