// A stand-in for the native side with the rules of src/vault, for one account: order, memory copy, revisions, notices.

import type { TokenRecord } from '../../../ipc/commands.js';
import type { ErrorCode } from '../../../ipc/errors.js';
import type { StoreFault, World } from './world.js';

export interface Args extends Partial<TokenRecord> {
  account?: string;
  ifRevision?: number;
}

export interface Write {
  before: TokenRecord | undefined;
  after: TokenRecord | undefined;
  /** Whether the page will hear that it was done. */
  acknowledged: boolean;
}

export interface Call {
  command: 'get_token' | 'set_token' | 'clear_token';
  args: Args;
  /** Settles the call; the page hears of it when the task that carries the answer is picked. */
  answer(value: unknown, error?: ErrorCode): void;
  /** Told when the store carries a write out. */
  written(change: Write): void;
}

const ERRORS: Record<Exclude<StoreFault, 'none'>, ErrorCode> = {
  locked: 'locked',
  denied: 'denied',
  lost: 'lost',
  timeout: 'timeout',
  landed: 'timeout',
  late: 'timeout',
};

export class Vault {
  stored: TokenRecord | undefined;
  revision = 0;
  /** The store was changed by a write that timed out: nobody was told. */
  untold = false;
  /** The option `memory_copy` of the builder. */
  memoryCopy = true;
  /** For each watching page, what numbers its next message and answers how to deliver that. */
  readonly channels = new Map<object, () => (notice: object) => void>();
  #copy: TokenRecord | undefined;
  /** The last write has no known outcome, so no read is kept in memory. */
  #unsettled = false;
  /** Calls that wait for the store, in the order of their arrival; the first is under way. */
  readonly #order: Call[] = [];
  /** A write that timed out and is still on its way to the disk: it is there before anything later is. */
  #late: (() => void) | undefined;

  constructor(readonly world: World) {}

  /** A call of a page has arrived. */
  receive(call: Call): void {
    if (call.command === 'get_token' && this.#copy) call.answer({ ...this.#copy, revision: this.revision });
    else if (this.#order.push(call) === 1) this.#start();
  }

  /** A change made by the app itself, in Rust. */
  change(record: TokenRecord | undefined): void {
    this.#land();
    this.#commit(record);
  }

  #start(): void {
    const call = this.#order[0];
    if (!call) return;
    this.world.owe(`store: ${call.command}`, ({ store }) => {
      this.#act(call, store);
      this.#order.shift();
      this.#start();
    });
  }

  #act(call: Call, fault: StoreFault): void {
    const { account: _, ifRevision, ...record } = call.args;
    const next = call.command === 'set_token' ? (record as TokenRecord) : undefined;
    if (call.command === 'get_token') this.#read(call, fault);
    else if (ifRevision !== undefined && ifRevision !== this.revision) call.answer(undefined, 'conflict');
    else if (fault === 'none') {
      this.#land();
      call.written({ before: this.stored, after: next, acknowledged: true });
      call.answer({ revision: this.#commit(next) });
    } else {
      if (ERRORS[fault] === 'timeout') this.#timeOut(call, next, fault);
      call.answer(undefined, ERRORS[fault]);
    }
  }

  /** Nobody knows whether the write was carried out: a revision is spent, and everybody is to read again. */
  #timeOut(call: Call, next: TokenRecord | undefined, fault: StoreFault): void {
    this.#copy = undefined;
    this.#unsettled = true;
    this.#land();
    this.#notify(true);
    const land = () => {
      call.written({ before: this.stored, after: next, acknowledged: false });
      this.stored = next;
      this.untold = true;
    };
    if (fault === 'landed') land();
    if (fault !== 'late') return;
    this.#late = land;
    this.world.owe('store: a late write', () => {
      if (this.#late === land) this.#land();
    });
  }

  #read(call: Call, fault: StoreFault): void {
    if (!this.#copy && fault !== 'none') {
      call.answer(undefined, ERRORS[fault]);
      return;
    }
    this.#land();
    this.#copy = this.memoryCopy && !this.#unsettled ? this.stored : undefined;
    call.answer(this.stored ? { ...this.stored, revision: this.revision } : null);
  }

  #land(): void {
    const land = this.#late;
    this.#late = undefined;
    land?.();
  }

  #commit(record: TokenRecord | undefined): number {
    this.stored = record;
    this.#copy = this.memoryCopy ? record : undefined;
    this.untold = this.#unsettled = false;
    this.#notify(!!record);
    return this.revision;
  }

  #notify(present: boolean): void {
    const notice = { account: 'default', revision: ++this.revision, present };
    for (const [page, number] of this.channels) {
      const deliver = number();
      this.world.owe(`notice of ${notice.revision}`, () => {
        if (this.channels.has(page)) deliver(notice);
      });
    }
  }
}
