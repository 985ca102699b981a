// The storage as a page that has just been loaded sees it, and its data as the vault has them.

import { vi } from 'vitest';
import type { FakeVault } from '../support/fake-vault.js';

export type StoragePage = typeof import('../../storage/storage.js');

export async function freshStorage(): Promise<StoragePage> {
  vi.resetModules();
  return import('../../storage/storage.js');
}

export const account = (key: string, namespace = 'default') => `storage/${namespace}/${key}`;

/** The records of a vault that holds `values`. */
export const stored = (values: Record<string, string>, namespace?: string) =>
  Object.fromEntries(
    Object.entries(values).map(([key, value]) => [account(key, namespace), { token: `=${value}` }]),
  );

/** What the vault holds of a key. */
export const kept = (vault: FakeVault, key: string, namespace?: string) =>
  vault.records.get(account(key, namespace))?.token.slice(1);
