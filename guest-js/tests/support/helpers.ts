// What several tests need: a fresh copy of the package, promises that a test settles, conditions to wait for.

import { expect, vi } from 'vitest';
import type { Session, Snapshot, Status } from '../../session/session.js';

/** The package as a page that has just been loaded sees it. */
export async function freshPage(): Promise<typeof import('../../index.js')> {
  vi.resetModules();
  return import('../../index.js');
}

export interface Deferred<T> {
  promise: Promise<T>;
  resolve(value: T): void;
  reject(cause: unknown): void;
}

export function deferred<T>(): Deferred<T> {
  let settle: Omit<Deferred<T>, 'promise'> | undefined;
  const promise = new Promise<T>((resolve, reject) => {
    settle = { resolve, reject };
  });
  return { promise, ...(settle as Omit<Deferred<T>, 'promise'>) };
}

/** Waits until `check` does not throw any more. */
export function until(check: () => void): Promise<void> {
  return vi.waitFor(check, { timeout: 2000, interval: 1 });
}

/** Runs everything that needs no timer: long enough for a result that must not come. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await Promise.resolve();
}

export function untilStatus(session: Session, status: Status): Promise<void> {
  return until(() => expect(session.getSnapshot().status).toBe(status));
}

export function untilPersisted(session: Session): Promise<void> {
  return until(() => expect(session.getSnapshot().persisted).toBe(true));
}

/** Every snapshot from now on. */
export function recordSnapshots(session: Session): Snapshot[] {
  const seen: Snapshot[] = [];
  session.listen((snapshot) => seen.push(snapshot));
  return seen;
}

/** A snapshot with exactly what is `known`, whatever its login is and whether it can be refreshed. */
export const snapshotOf = (known: Partial<Snapshot>): Snapshot => ({
  login: expect.any(Number),
  canRefresh: expect.any(Boolean),
  ...(known as Pick<Snapshot, 'status' | 'persisted'>),
});
