// A stand-in for the native side: records, revisions and notices, with faults and delays that a test controls. The session
// commands are those of the owner in JavaScript, over the same records.

import { mockIPC } from '@tauri-apps/api/mocks';
import { inject } from 'vitest';
import type { TokenRecord } from '../../ipc/commands.js';
import { type ErrorCode, SecureTokenError } from '../../ipc/errors.js';
import type {
  Abilities,
  Owner,
  OwnerMessage,
  RefreshOutcome,
  SentTokens,
  TokenQuery,
} from '../../ipc/owner.js';
import { MemoryOwner } from '../../session/memory-owner.js';

export type Command =
  | 'set_token'
  | 'get_token'
  | 'clear_token'
  | 'list_accounts'
  | 'watch_tokens'
  | 'store_info';

export type SessionCommand =
  | 'session_open'
  | 'session_hydrate'
  | 'session_sign_in'
  | 'session_sign_out'
  | 'session_token'
  | 'session_lease'
  | 'session_answer'
  | 'session_revokes';

type AnyCommand = Command | SessionCommand;

type SessionArgs = SentTokens &
  TokenQuery &
  RefreshOutcome &
  Abilities & { account?: string; channel: string; lease: number; remember?: boolean };

type Args = Partial<TokenRecord> & { account?: string; ifRevision?: number; channel?: string };

interface Fault {
  command: AnyCommand;
  cause: unknown;
  left: number;
}

interface Gate {
  command: AnyCommand;
  when: 'before' | 'after';
  opened: Promise<void>;
}

/** What the plugin rejects with. */
export const rejection = (code: ErrorCode, message = `the store said ${code}`) => ({
  code,
  message,
  retryable: code === 'locked' || code === 'unavailable' || code === 'timeout',
});

/** What crosses the bridge is JSON. */
const copy = <T>(value: T): T => (value === undefined ? value : JSON.parse(JSON.stringify(value)));

/** Sends a message over a channel of Tauri. */
type Send = (channel: number, data: { message: unknown; index: number }) => void;

/** The bridge of one page. */
interface Bridge {
  send: Send;
  owners: Map<string, Owner & { close(): void }>;
}

export class FakeVault {
  /** What the store says of itself. */
  persistent = true;
  readonly records = new Map<string, TokenRecord>();
  /** What the store was asked for, by pages and by the owners of sessions. */
  readonly calls: { command: Command; args: Args }[] = [];
  /** What the owners of sessions were asked for. */
  readonly sessionCalls: { command: SessionCommand; args: Partial<SessionArgs> }[] = [];
  readonly #revisions = new Map<string, number>();
  readonly #channels: { bridge: Bridge; id: number; sent: number }[] = [];
  readonly #faults: Fault[] = [];
  readonly #gates: Gate[] = [];
  #owners = new Map<string, MemoryOwner>();
  #pages = new Set<Bridge>();

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
    const bridge = this.#bridge((id, data) => {
      const internals = (
        globalThis as unknown as { __TAURI_INTERNALS__: { runCallback(id: number, data: unknown): void } }
      ).__TAURI_INTERNALS__;
      internals.runCallback(id, data);
    });
    mockIPC(async (name, payload) =>
      name.startsWith('plugin:secure-token|')
        ? this.#call(bridge, name.replace('plugin:secure-token|', '') as AnyCommand, payload)
        : others?.(name, payload),
    );
  }

  /** The bridge of a further window: what is in its global scope as `__TAURI_INTERNALS__`, and how it is closed. */
  openWindow(): { internals: object; leave(): void; close(): void } {
    const callbacks: ((data: unknown) => void)[] = [];
    const bridge = this.#bridge((id, data) => callbacks[id]?.(data));
    return {
      internals: {
        invoke: async (name: string, payload: unknown) =>
          copy(
            await this.#call(bridge, name.replace('plugin:secure-token|', '') as AnyCommand, copy(payload)),
          ),
        transformCallback: (callback: (data: unknown) => void) => callbacks.push(callback) - 1,
      },
      leave: () => this.#leave(bridge),
      close: () => {
        callbacks.length = 0;
        this.#leave(bridge);
      },
    };
  }

  /** The page is left, as in a navigation: its channels, watches and leases end. */
  leavePage(): void {
    for (const bridge of this.#pages) this.#leave(bridge);
  }

  /** The process ends and starts again: memory is gone, what was stored is there. */
  restart(): void {
    this.leavePage();
    this.#owners = new Map();
  }

  /** Another window, which shows the session too. */
  async otherWindow(account = 'default'): Promise<Owner> {
    const other = this.owner(account).connect();
    await other.open(() => {}, { refreshes: true, revokes: false });
    return other;
  }

  /** Another window refreshes. */
  async refreshElsewhere(tokens: SentTokens): Promise<void> {
    const other = await this.otherWindow();
    const leased = await other.lease();
    if (!('lease' in leased)) throw new Error('another page has the lease');
    await other.answer(leased.lease, tokens);
  }

  /** The owner of the session of an account. */
  owner(account = 'default'): MemoryOwner {
    let owner = this.#owners.get(account);
    if (!owner) {
      owner = new MemoryOwner({
        read: async () => {
          const stored = (await this.#store('get_token', { account })) as TokenRecord | null;
          if (!stored) return undefined;
          const { revision: _, ...record } = stored as TokenRecord & { revision: number };
          return record;
        },
        write: async (record) => {
          await this.#store(record ? 'set_token' : 'clear_token', { account, ...record }, true);
        },
      });
      this.#owners.set(account, owner);
    }
    return owner;
  }

  #bridge(send: Send): Bridge {
    const bridge = { send, owners: new Map() };
    this.#pages.add(bridge);
    return bridge;
  }

  #leave(bridge: Bridge): void {
    for (const owner of bridge.owners.values()) owner.close();
    bridge.owners.clear();
    for (const [index, channel] of [...this.#channels.entries()].reverse())
      if (channel.bridge === bridge) this.#channels.splice(index, 1);
  }

  async #call(bridge: Bridge, command: AnyCommand, payload: unknown): Promise<unknown> {
    const args = copy(payload ?? {}) as Partial<SessionArgs>;
    if (!command.startsWith('session_')) return this.#store(command as Command, args as Args, false, bridge);
    const own = command as SessionCommand;
    this.sessionCalls.push({ command: own, args });
    const gate = this.#take(this.#gates, command);
    if (gate?.when === 'before') await gate.opened;
    const fault = this.#faults.find((item) => item.command === command && item.left > 0);
    if (fault) {
      fault.left--;
      throw fault.cause;
    }
    try {
      const result = await this.#session(bridge, own, args as SessionArgs);
      if (gate?.when === 'after') await gate.opened;
      return copy(result);
    } catch (error) {
      throw error instanceof SecureTokenError ? rejection(error.code, error.message) : error;
    }
  }

  #session(bridge: Bridge, command: SessionCommand, args: SessionArgs): Promise<unknown> {
    const { account = 'default', channel, lease, ...rest } = args;
    const owner = bridge.owners.get(account) ?? this.owner(account).connect();
    bridge.owners.set(account, owner);
    switch (command) {
      case 'session_open':
        return owner.open(this.#listener(bridge, channel), rest);
      case 'session_hydrate':
        return owner.hydrate();
      case 'session_sign_in':
        return owner.signIn(rest);
      case 'session_sign_out':
        return owner.signOut();
      case 'session_token':
        return owner.token(rest);
      case 'session_lease':
        return owner.lease(rest);
      case 'session_answer':
        return owner.answer(lease, rest);
      case 'session_revokes':
        return owner.revokes();
    }
  }

  #listener(bridge: Bridge, channel: string): (message: OwnerMessage) => void {
    const id = Number(channel.replace('__CHANNEL__:', ''));
    let sent = 0;
    return (message) => bridge.send(id, { message: copy(message), index: sent++ });
  }

  /** @param isOwners Whether the owner of a session asks, which need not be told what it did. */
  async #store(command: Command, args: Args, isOwners = false, bridge?: Bridge): Promise<unknown> {
    this.calls.push({ command, args });
    const gate = this.#take(this.#gates, command);
    if (gate?.when === 'before') await gate.opened;
    const answer = this.#answer(command, args, isOwners, bridge);
    if (gate?.when === 'after') await gate.opened;
    return answer();
  }

  /** Rejects the next `times` calls of a command. They change no record. */
  fail(command: AnyCommand, cause: unknown, times = 1): void {
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
  hold(command: AnyCommand, when: 'before' | 'after' = 'after'): () => void {
    let open = () => {};
    const opened = new Promise<void>((resolve) => {
      open = resolve;
    });
    this.#gates.push({ command, when, opened });
    return open;
  }

  /** Changes an account as the strict commands of another window would: for a session that is another login, or its end. */
  change(record: TokenRecord | undefined, account = 'default'): number {
    const revision = this.#change(record, account);
    this.#owners.get(account)?.found(record);
    return revision;
  }

  #change(record: TokenRecord | undefined, account: string): number {
    if (record) this.records.set(account, record);
    else this.records.delete(account);
    const revision = this.revision(account) + 1;
    this.#revisions.set(account, revision);
    this.notify({ account, revision, present: !!record });
    return revision;
  }

  notify(notice: { account: string; revision: number; present: boolean }): void {
    for (const channel of this.#channels)
      channel.bridge.send(channel.id, { message: notice, index: channel.sent++ });
  }

  revision(account = 'default'): number {
    return this.#revisions.get(account) ?? 0;
  }

  /** How often a command was called. */
  count(command: Command): number {
    return this.calls.filter((call) => call.command === command).length;
  }

  /** How often the owners of sessions were asked. */
  countSession(command: SessionCommand): number {
    return this.sessionCalls.filter((call) => call.command === command).length;
  }

  /** The arguments of the latest call of a command. */
  last(command: Command): Args | undefined {
    return this.calls.findLast((call) => call.command === command)?.args;
  }

  #take<T extends { command: AnyCommand }>(list: T[], command: AnyCommand): T | undefined {
    const index = list.findIndex((item) => item.command === command);
    return index < 0 ? undefined : list.splice(index, 1)[0];
  }

  #answer(command: Command, args: Args, isOwners: boolean, bridge?: Bridge): () => unknown {
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
    if (command === 'watch_tokens' && bridge)
      this.#channels.push({ bridge, id: Number(channel?.replace('__CHANNEL__:', '')), sent: 0 });
    const answer = this.#act(command, account, record as TokenRecord, isOwners);
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

  #act(command: Command, account: string, record: TokenRecord, isOwners: boolean): unknown {
    const stored = this.records.get(account);
    const change = (next?: TokenRecord) =>
      isOwners ? this.#change(next, account) : this.change(next, account);
    switch (command) {
      case 'set_token':
        return { revision: change(record) };
      case 'clear_token':
        return { revision: change() };
      case 'get_token':
        return stored ? { ...stored, revision: this.revision(account) } : null;
      case 'list_accounts':
        return [...this.records.keys()];
      case 'watch_tokens':
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
