// A stand-in for the native side: records, revisions and notices, with faults and delays that a test controls.

import { mockIPC } from '@tauri-apps/api/mocks';
import { inject } from 'vitest';
import type { TokenRecord } from '../../ipc/commands.js';
import type { ErrorCode } from '../../ipc/errors.js';

export type Command =
  | 'set_token'
  | 'get_token'
  | 'clear_token'
  | 'list_accounts'
  | 'watch_tokens'
  | 'store_info';

type Args = Partial<TokenRecord> & { account?: string; ifRevision?: number; channel?: string };

interface Fault {
  command: Command;
  cause: unknown;
  left: number;
}

interface Gate {
  command: Command;
  when: 'before' | 'after';
  opened: Promise<void>;
}

/** What the plugin rejects with. */
export const rejection = (code: ErrorCode, message = `the store said ${code}`) => ({
  code,
  message,
  retryable: code === 'locked' || code === 'unavailable' || code === 'timeout',
});

export class FakeVault {
  /** What the store says of itself. */
  persistent = true;
  readonly records = new Map<string, TokenRecord>();
  readonly calls: { command: Command; args: Args }[] = [];
  readonly #revisions = new Map<string, number>();
  readonly #channels: { id: number; sent: number }[] = [];
  readonly #faults: Fault[] = [];
  readonly #gates: Gate[] = [];

  /**
   * Answers the page's calls from now on. In a project without a key store nobody calls.
   *
   * @param others Answers the commands of other plugins.
   */
  constructor(
    records: Record<string, TokenRecord> = {},
    others?: (command: string, payload: unknown) => unknown,
  ) {
    for (const [account, record] of Object.entries(records)) this.records.set(account, record);
    if (!inject('keyStore')) return;
    mockIPC(async (name, payload) => {
      if (!name.startsWith('plugin:secure-token|')) return others?.(name, payload);
      const command = name.replace('plugin:secure-token|', '') as Command;
      // What crosses the bridge is JSON.
      const args = JSON.parse(JSON.stringify(payload ?? {})) as Args;
      this.calls.push({ command, args });
      const gate = this.#take(this.#gates, command);
      if (gate?.when === 'before') await gate.opened;
      const answer = this.#answer(command, args);
      if (gate?.when === 'after') await gate.opened;
      return answer();
    });
  }

  /** Rejects the next `times` calls of a command. They change no record. */
  fail(command: Command, cause: unknown, times = 1): void {
    this.#faults.push({ command, cause, left: times });
  }

  /** Ends all faults. */
  recover(): void {
    this.#faults.length = 0;
  }

  /**
   * Holds the next call of a command until the returned function is called: `before` it acts, or `after` it acted and
   * only its answer is late.
   */
  hold(command: Command, when: 'before' | 'after' = 'after'): () => void {
    let open = () => {};
    const opened = new Promise<void>((resolve) => {
      open = resolve;
    });
    this.#gates.push({ command, when, opened });
    return open;
  }

  /** Changes an account as another window would. */
  change(record: TokenRecord | undefined, account = 'default'): number {
    if (record) this.records.set(account, record);
    else this.records.delete(account);
    const revision = this.revision(account) + 1;
    this.#revisions.set(account, revision);
    this.notify({ account, revision, present: !!record });
    return revision;
  }

  notify(notice: { account: string; revision: number; present: boolean }): void {
    for (const channel of this.#channels) {
      const internals = (
        globalThis as unknown as { __TAURI_INTERNALS__: { runCallback(id: number, data: unknown): void } }
      ).__TAURI_INTERNALS__;
      internals.runCallback(channel.id, { message: notice, index: channel.sent++ });
    }
  }

  revision(account = 'default'): number {
    return this.#revisions.get(account) ?? 0;
  }

  /** How often a command was called. */
  count(command: Command): number {
    return this.calls.filter((call) => call.command === command).length;
  }

  /** The arguments of the latest call of a command. */
  last(command: Command): Args | undefined {
    return this.calls.findLast((call) => call.command === command)?.args;
  }

  #take<T extends { command: Command }>(list: T[], command: Command): T | undefined {
    const index = list.findIndex((item) => item.command === command);
    return index < 0 ? undefined : list.splice(index, 1)[0];
  }

  #answer(command: Command, args: Args): () => unknown {
    const fault = this.#faults.find((item) => item.command === command && item.left > 0);
    if (fault) {
      fault.left--;
      this.#leaveOpen(command, args, fault.cause);
      return () => {
        throw fault.cause;
      };
    }
    const { account = 'default', ifRevision, channel, ...record } = args;
    if (ifRevision !== undefined && ifRevision !== this.revision(account)) {
      return () => {
        throw rejection('conflict');
      };
    }
    const answer = this.#act(command, account, record as TokenRecord, channel);
    return () => answer;
  }

  /** A write that failed so may have happened: it spends a revision, and everybody is to read again. */
  #leaveOpen(command: Command, { account = 'default' }: Args, cause: unknown): void {
    const { code } = Object(cause) as { code?: ErrorCode };
    if (!/^(set|clear)_token$/.test(command) || !/^(timeout|unavailable|internal)$/.test(code ?? '')) return;
    const revision = this.revision(account) + 1;
    this.#revisions.set(account, revision);
    this.notify({ account, revision, present: true });
  }

  #act(command: Command, account: string, record: TokenRecord, channel?: string): unknown {
    const stored = this.records.get(account);
    switch (command) {
      case 'set_token':
        return { revision: this.change(record, account) };
      case 'clear_token':
        return { revision: this.change(undefined, account) };
      case 'get_token':
        return stored ? { ...stored, revision: this.revision(account) } : null;
      case 'list_accounts':
        return [...this.records.keys()];
      case 'watch_tokens':
        this.#channels.push({ id: Number(channel?.replace('__CHANNEL__:', '')), sent: 0 });
        return null;
      case 'store_info':
        return {
          store: 'memory',
          persistent: this.persistent,
          durable: false,
          hardware: false,
          state: 'available',
          detail: '',
        };
    }
  }
}
