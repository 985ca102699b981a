// Runs the built package in realms of its own: each has its modules, clock, timers and bridge, as each webview has.

import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

export type Package = typeof import('./whole-package.js');

/** What a page finds in its global scope, as far as the package looks. */
export interface Surroundings {
  now(): number;
  setTimeout(run: () => void, delay?: number): number;
  clearTimeout(timer?: number): void;
  /** The global object; with `__TAURI_INTERNALS__` it is a Tauri window. */
  globals: object;
}

/** The names that the package gets from {@link Surroundings} instead of from Node. */
const NAMES = ['globalThis', 'window', 'setTimeout', 'clearTimeout', 'Date', 'Math', 'performance'] as const;

const root = fileURLToPath(new URL('../../..', import.meta.url));

/** Bundles the package once. Each call of the answer is a page that has just been loaded. */
export async function buildRealm(): Promise<(surroundings: Surroundings) => Package> {
  const bundle = await rolldown({
    cwd: root,
    input: 'guest-js/tests/support/whole-package.ts',
    resolve: { extensionAlias: { '.js': ['.ts'] } },
    platform: 'browser',
    tsconfig: 'tsconfig.json',
  });
  const { output } = await bundle.generate({ format: 'iife', name: 'api', exports: 'named' });
  await bundle.close();
  const load = new Function(...NAMES, `${output[0].code}; return api;`);
  return ({ now, setTimeout, clearTimeout, globals }) => {
    class PageDate extends Date {
      static override now = now;
    }
    const PageMath = Object.create(Math, { random: { value: chance() } });
    return load(globals, globals, setTimeout, clearTimeout, PageDate, PageMath, { now });
  };
}

/** Numbers from 0 to 1 (mulberry32), the same for every page. */
function chance(seed = 1): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Resolves when every promise that can go on without a timer or an answer has done so. */
export const drained = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
