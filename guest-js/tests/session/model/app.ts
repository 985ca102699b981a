// The process of the app: the owner in a realm of its own, over a store whose every call waits to be picked.

import type { TokenRecord } from '../../../ipc/commands.js';
import { type ErrorCode, SecureTokenError } from '../../../ipc/errors.js';
import type { MemoryOwner } from '../../../session/memory-owner.js';
import type { Package, Surroundings } from '../../support/realm.js';
import type { World } from './world.js';

export type Load = (surroundings: Surroundings) => Package;

export class App {
  readonly owner: MemoryOwner;
  stored: TokenRecord | undefined;

  constructor(
    readonly world: World,
    load: Load,
    stored: TokenRecord | undefined,
  ) {
    this.stored = stored;
    const { MemoryOwner } = load({
      globals: {},
      now: () => world.now,
      setTimeout: (run, delay) => world.setTimeout(run, delay),
      clearTimeout: (timer) => world.clearTimeout(timer),
    });
    this.owner = new MemoryOwner({
      read: () => this.#call('read', () => this.stored),
      write: (record) =>
        this.#call(`write ${record?.token}`, () => {
          this.stored = record;
        }),
    });
  }

  #call<T>(what: string, act: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      this.world.owe(`store: ${what}`, ({ store }) => {
        if (store === 'none') resolve(act());
        else reject(new SecureTokenError(store as ErrorCode, `the store said ${store}`));
      });
    });
  }
}
