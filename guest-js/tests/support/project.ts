// What differs between the projects of vitest.config.ts: whether the page has a key store.

import { inject, it } from 'vitest';
import type { TokenRecord } from '../../ipc/commands.js';
import type { SessionOptions } from '../../session/session.js';
import { FakeVault } from './fake-vault.js';
import { freshPage } from './helpers.js';

/** False in the project `browser`, where a session lives in memory only. */
export const keyStore = inject('keyStore');

/** A test that looks into the key store or delays it. Does not exist in the project `browser`. */
export function withStore(name: string, run: () => unknown): void {
  if (keyStore) it(name, run);
}

/**
 * A page that has just been loaded, whose sessions have `record`: from the key store or, where there is none, from a login.
 *
 * @param others Answers the commands of other plugins.
 */
export async function signedInPage(
  record: TokenRecord,
  others?: (command: string, payload: unknown) => unknown,
) {
  const page = await freshPage();
  const vault = new FakeVault({ default: record }, others);
  const createSession = (options?: SessionOptions) => {
    const session = page.createSession(options);
    if (!keyStore) void session.login(record);
    return session;
  };
  return { ...page, createSession, vault };
}
