// An app with a token in an old place and the key store, whose page can die or have a call fail at any step.

import { expect, vi } from 'vitest';
import type { TokenRecord } from '../../../ipc/commands.js';
import type { Migration, MigrationOptions } from '../../../storage/migrate.js';
import { FakeVault, rejection } from '../../support/fake-vault.js';

/** When the `step`th call, from 0, goes wrong: before it acts, or when it acted and only its answer is missing. */
export interface Trouble {
  step: number;
  when: 'before' | 'after';
  /** The page is gone: the call never answers. Otherwise it rejects. */
  dies: boolean;
}

interface Internals {
  invoke(command: string, args?: unknown, options?: unknown): Promise<unknown>;
}

export const OLD: TokenRecord = { token: 'old', refreshToken: 'r-old', expiresAt: 9_000_000_000_000 };

export class World {
  old: unknown;
  readonly vault: FakeVault;
  /** The calls of the page in their order. */
  calls: string[] = [];
  #trouble: Trouble | undefined;
  /** Resolves when the page has died. */
  #died = () => {};

  constructor(old: unknown, stored?: TokenRecord) {
    this.old = old;
    this.vault = new FakeVault(stored && { default: stored });
    const { __TAURI_INTERNALS__: internals } = globalThis as unknown as { __TAURI_INTERNALS__: Internals };
    const { invoke } = internals;
    internals.invoke = (command, args, options) =>
      this.#call(command.replace('plugin:secure-token|', ''), () => invoke(command, args, options));
  }

  /** The record that the key store holds. */
  get stored(): TokenRecord | undefined {
    return this.vault.records.get('default');
  }

  readonly source = {
    read: () => this.#call('read', async () => this.old),
    remove: () =>
      this.#call('remove', async () => {
        this.old = undefined;
      }),
  };

  /** What a page that has just been loaded does. Resolves with `died` if it does not live to the end. */
  async run(trouble?: Trouble, options?: MigrationOptions<unknown>): Promise<Migration | 'died'> {
    vi.resetModules();
    const { migrateFrom } = await import('../../../storage/migrate.js');
    this.calls = [];
    this.#trouble = trouble;
    const died = new Promise<'died'>((resolve) => {
      this.#died = () => resolve('died');
    });
    return Promise.race([migrateFrom(this.source, options), died]);
  }

  async #call<T>(name: string, act: () => Promise<T>): Promise<T> {
    const trouble = this.#trouble?.step === this.calls.length ? this.#trouble : undefined;
    this.calls.push(name);
    if (trouble?.when !== 'before') {
      const answer = await act();
      if (!trouble) return answer;
    }
    if (!trouble.dies) throw rejection('locked');
    this.#died();
    return new Promise<T>(() => {});
  }

  /** P1, P2: a token that was there is in one of the two places, whole. */
  expectNothingLost(old: unknown): void {
    if (this.old === undefined) expect(this.stored).toEqual(OLD);
    else expect(this.old).toEqual(old);
  }
}
