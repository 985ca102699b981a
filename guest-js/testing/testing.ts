// The app around a page, for tests that run without Tauri: its key store, with faults, and its other windows.

import type { TokenRecord } from '../ipc/commands.js';
import { type ErrorCode, SecureTokenError } from '../ipc/errors.js';
import type { SentTokens } from '../ipc/owner.js';
import { MemoryOwner, type OwnerStore } from '../session/memory-owner.js';
import { substituteOwners } from '../session/page-owner.js';
import { receive } from '../session/receive.js';
import type { Tokens } from '../session/session.js';
import { forgetViews } from '../session/views.js';

/** What the key store is asked for. A removal is a write. */
export type StoreCall = 'read' | 'write';

/** Another window of the app. It shows the same session. */
export interface OtherWindow {
  /** Logs in. Resolves when the store has answered. */
  login(tokens: Tokens): Promise<void>;
  /** Logs out. Resolves when the store has answered. */
  logout(): Promise<void>;
  /**
   * Carries out a refresh that brings `tokens`.
   *
   * @throws `SecureTokenError` `conflict` if nobody is signed in.
   */
  refresh(tokens: Tokens): Promise<void>;
}

/** The app around the page. */
export interface TestApp {
  /** What the key store holds, by account. */
  readonly records: ReadonlyMap<string, TokenRecord>;
  /**
   * From now on the key store fails with `code`: `locked`, `unavailable` and `timeout` pass, all others stay.
   *
   * @param times How many calls fail. Default: all, until {@link recover}.
   */
  fail(call: StoreCall, code: ErrorCode, times?: number): void;
  /** The key store works again. What failed before is tried again later by itself, or at once by `session.hydrate()`. */
  recover(): void;
  /** The key store is slow: calls wait until the returned function is called. */
  hold(call: StoreCall): () => void;
  /** Another window of the app. */
  otherWindow(account?: string): OtherWindow;
  /**
   * The app is closed and started again: what was stored is there, all else is gone. Sessions of the time before show nothing
   * new; load the module that makes yours once more.
   */
  restart(): void;
  /** Ends it: sessions that are made from now on are those of a page without Tauri. */
  end(): void;
}

/** The key store of the app. */
class TestStore {
  readonly records = new Map<string, TokenRecord>();
  private readonly faults = new Map<StoreCall, { code: ErrorCode; left: number | undefined }>();
  private readonly gates = new Map<StoreCall, Promise<void>>();

  of(account: string): OwnerStore {
    return {
      read: async () => {
        await this.call('read');
        const record = this.records.get(account);
        return record && { ...record };
      },
      write: async (record) => {
        await this.call('write');
        if (record) this.records.set(account, { ...record });
        else this.records.delete(account);
      },
    };
  }

  fail(call: StoreCall, code: ErrorCode, times: number | undefined): void {
    this.faults.set(call, { code, left: times });
  }

  recover(): void {
    this.faults.clear();
  }

  hold(call: StoreCall): () => void {
    let open = () => {};
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    this.gates.set(call, gate);
    return () => {
      if (this.gates.get(call) === gate) this.gates.delete(call);
      open();
    };
  }

  private async call(call: StoreCall): Promise<void> {
    await this.gates.get(call);
    const fault = this.faults.get(call);
    if (!fault || fault.left === 0) return;
    if (fault.left !== undefined) fault.left--;
    throw new SecureTokenError(fault.code, `the test said ${fault.code}`);
  }
}

function windowOf(owner: MemoryOwner): OtherWindow {
  const connect = async () => {
    const page = owner.connect();
    await page.open(() => {}, { refreshes: true, revokes: false });
    return page;
  };
  return {
    async login(tokens) {
      await owner.signIn(receive(tokens));
    },
    async logout() {
      await owner.signOut();
    },
    async refresh(tokens) {
      const page = await connect();
      try {
        const sent: SentTokens = receive(tokens);
        const leased = await page.lease();
        if (!('lease' in leased)) throw new SecureTokenError('conflict', 'nobody is signed in');
        await page.answer(leased.lease, sent);
      } finally {
        page.close();
      }
    },
  };
}

/**
 * Starts an app in which the sessions that are made from now on live, instead of in the memory of the page. No Tauri is needed.
 *
 * Call it before the module that makes your session is loaded. The storages and the six commands are not part of it.
 *
 * @param records What the key store holds at the start, by account.
 */
export function startTestApp(records: Record<string, TokenRecord> = {}): TestApp {
  const store = new TestStore();
  for (const [account, record] of Object.entries(records)) store.records.set(account, { ...record });
  let owners = new Map<string, MemoryOwner>();

  function ownerOf(account: string): MemoryOwner {
    let owner = owners.get(account);
    if (!owner) {
      owner = new MemoryOwner(store.of(account));
      owners.set(account, owner);
    }
    return owner;
  }

  forgetViews();
  substituteOwners((account) => ownerOf(account).connect());
  return {
    records: store.records,
    fail: (call, code, times) => store.fail(call, code, times),
    recover: () => store.recover(),
    hold: (call) => store.hold(call),
    otherWindow: (account = 'default') => windowOf(ownerOf(account)),
    restart() {
      for (const owner of owners.values()) owner.stop();
      owners = new Map();
      forgetViews();
    },
    end() {
      for (const owner of owners.values()) owner.stop();
      forgetViews();
      substituteOwners(undefined);
    },
  };
}
