// The owner of a session in JavaScript: for a page without Tauri, and for tests, which give it a key store.

import type { TokenRecord } from '../ipc/commands.js';
import type { SecureTokenError } from '../ipc/errors.js';
import type { Abilities, Owner, OwnerMessage, OwnerSnapshot, SentTokens, TokenResult } from '../ipc/owner.js';
import { call } from '../shared/emit.js';
import { MemoryRefreshes } from './memory-refreshes.js';
import { endOf, receive } from './receive.js';

/** Where an owner keeps the record of its account. Rejections are {@link SecureTokenError}s. */
export interface OwnerStore {
  read(): Promise<TokenRecord | undefined>;
  /** Without a record it is removed. */
  write(record: TokenRecord | undefined): Promise<void>;
}

/** A page that is connected to the owner. */
export interface Page {
  listener: ((message: OwnerMessage) => void) | undefined;
  abilities: Abilities;
}

/** The record of a login. */
export interface Held {
  record: TokenRecord;
  /** When it came from a server. Of a record that was stored nobody knows. */
  arrivedAt: number | undefined;
  /** Whether the store keeps it. */
  remember: boolean;
}

type Memory =
  | { is: 'notRead' }
  | { is: 'unreadable'; error: SecureTokenError }
  | { is: 'empty'; reason: OwnerSnapshot['reason'] }
  | { is: 'held'; held: Held };

/** A change that the store lacks. */
interface Unsaved {
  /** The store may hold a record that nobody has read, and that is to be revoked. */
  replacesUnread: boolean;
  failures: number;
  error?: SecureTokenError;
}

/** How many replaced tokens are remembered, for requests that come back late. */
const PAST_TOKENS = 8;

/** How many records wait to be revoked. The oldest goes when another one comes. */
const REVOKES = 64;

const isSame = (one?: TokenRecord, other?: TokenRecord) =>
  one?.token === other?.token &&
  one?.refreshToken === other?.refreshToken &&
  one?.expiresAt === other?.expiresAt;

function toRecord(tokens: SentTokens, refreshTokenBefore?: string): TokenRecord {
  const record: TokenRecord = { token: tokens.token };
  const refreshToken = tokens.refreshToken ?? refreshTokenBefore;
  const expiresAt = endOf(tokens);
  if (refreshToken !== undefined) record.refreshToken = refreshToken;
  if (expiresAt !== undefined) record.expiresAt = expiresAt;
  return record;
}

/** The session of one account, for all pages that connect to it. */
export class MemoryOwner {
  readonly pages = new Set<Page>();
  login = 0;
  /** The tokens of this login that were replaced, newest first. */
  past: string[] = [];
  private memory: Memory;
  private unsaved: Unsaved | undefined;
  /** Counts the records that memory has had: what began under one must not change the next. */
  private epoch = 0;
  private revokes: TokenRecord[] = [];
  private published: OwnerSnapshot;
  /** The end of the queue of store calls: one at a time, so that an older one cannot land after a newer one. */
  private queue: Promise<void> = Promise.resolve();
  private retry: ReturnType<typeof setTimeout> | undefined;
  private reading: Promise<void> | undefined;
  private readonly refreshes = new MemoryRefreshes(this);

  /** @param store Without one nothing outlives the owner. */
  constructor(private readonly store?: OwnerStore) {
    this.memory = store ? { is: 'notRead' } : { is: 'empty', reason: undefined };
    this.published = this.snapshotNow();
  }

  get held(): Held | undefined {
    return this.memory.is === 'held' ? this.memory.held : undefined;
  }

  /** Whether it is known who is signed in. Throws if the store could not be read. */
  isRead(): boolean {
    if (this.memory.is === 'unreadable') throw this.memory.error;
    return this.memory.is !== 'notRead';
  }

  /** Connects a page. `close` ends its channel and its lease, as a navigation does. */
  connect(): Owner & { close(): void } {
    const page: Page = { listener: undefined, abilities: { refreshes: false, revokes: false } };
    return {
      open: async (listener, abilities) => {
        Object.assign(page, { listener, abilities });
        this.pages.add(page);
        if (!this.reading && this.memory.is === 'notRead') void this.read();
        this.publish();
        return this.published;
      },
      hydrate: () => this.hydrate(),
      signIn: async (tokens) => this.signIn(tokens),
      signOut: () => this.signOut(),
      token: async (query = {}) => (await this.refreshes.want(page, query, false)) as TokenResult,
      lease: (query = {}) => this.refreshes.want(page, query, true),
      answer: async (lease, outcome) => this.refreshes.answer(page, lease, outcome),
      revokes: async () => {
        const records = this.revokes;
        this.revokes = [];
        this.publish();
        return records;
      },
      close: () => {
        this.pages.delete(page);
        this.refreshes.leave(page);
        this.publish();
      },
    };
  }

  async hydrate(): Promise<OwnerSnapshot> {
    if (this.memory.is === 'unreadable') this.memory = { is: 'notRead' };
    this.publish();
    await (this.unsaved ? this.save() : this.read());
    return this.published;
  }

  async signIn({ remember = true, ...tokens }: SentTokens & { remember?: boolean | undefined }) {
    const record = toRecord(receive(tokens));
    this.endLogin();
    this.memory = { is: 'held', held: { record, arrivedAt: Date.now(), remember } };
    this.publish();
    await this.save();
    return this.published;
  }

  async signOut(): Promise<OwnerSnapshot> {
    this.endLogin();
    this.memory = { is: 'empty', reason: 'logout' };
    this.publish();
    await this.save();
    return this.published;
  }

  /** The process ends: no timer rings any more, and nobody is told anything. */
  stop(): void {
    this.pages.clear();
    clearTimeout(this.retry);
    this.refreshes.endLogin();
  }

  /** The store holds `record` now, by a strict door or by another process. */
  found(record: TokenRecord | undefined): void {
    const { held } = this;
    this.unsaved = undefined;
    if (!isSame(record, held?.record) || this.memory.is !== (record ? 'held' : 'empty')) {
      this.begin();
      this.memory = record
        ? { is: 'held', held: { record, arrivedAt: undefined, remember: true } }
        : { is: 'empty', reason: held && 'elsewhere' };
    }
    this.publish();
  }

  /** A refresh has brought tokens. Stores them before anybody is told. */
  async rotate(tokens: SentTokens, login: number, before: TokenRecord): Promise<void> {
    const record = toRecord(tokens, before.refreshToken);
    let isTaken = false;
    await this.inOrder(async () => {
      const { held, store } = this;
      if (!held || login !== this.login) return;
      const unsaved: Unsaved = { replacesUnread: false, failures: 0 };
      try {
        if (held.remember) await store?.write(record);
      } catch (error) {
        unsaved.error = error as SecureTokenError;
      }
      if (login !== this.login) return;
      isTaken = true;
      this.past = [held.record.token, ...this.past].slice(0, PAST_TOKENS);
      this.epoch++;
      this.memory = { is: 'held', held: { ...held, record, arrivedAt: Date.now() } };
      this.unsaved = undefined;
      if (unsaved.error) this.writeFailed(unsaved, unsaved.error);
    });
    if (!isTaken) this.keepToRevoke(record);
    this.publish();
  }

  /** The server has refused the refresh token for good. */
  async refuse(): Promise<void> {
    this.begin();
    this.memory = { is: 'empty', reason: 'refused' };
    this.unsaved = { replacesUnread: false, failures: 0 };
    this.publish();
    await this.save();
  }

  keepToRevoke(record: TokenRecord): void {
    this.revokes = [...this.revokes, record].slice(-REVOKES);
  }

  /** The response to who asked for a token. */
  result(token?: string): TokenResult {
    this.publish();
    const { login, epoch, published } = this;
    return { ...(token !== undefined && { token }), tokenRevision: epoch, login, snapshot: published };
  }

  /** Tells all pages what is new. */
  publish(): void {
    const next = this.snapshotNow();
    if (JSON.stringify({ ...next, revision: 0 }) !== JSON.stringify({ ...this.published, revision: 0 })) {
      this.published = { ...next, revision: this.published.revision + 1 };
      for (const page of this.pages) this.tell(page, { snapshot: this.published });
    }
    this.refreshes.notify();
  }

  tell({ listener }: Page, message: OwnerMessage): void {
    // Later, as a channel does.
    void Promise.resolve().then(() => call(listener, message));
  }

  private snapshotNow(): OwnerSnapshot {
    const { memory, held, unsaved, store } = this;
    const status = {
      notRead: 'hydrating',
      unreadable: 'unavailable',
      empty: 'signedOut',
      held: 'signedIn',
    } as const;
    const error = memory.is === 'unreadable' ? memory.error : unsaved?.error;
    const reason = memory.is === 'empty' ? memory.reason : undefined;
    const retryAt = this.refreshes?.retryAt;
    const isKept = store && !unsaved && held?.remember !== false;
    return {
      status: status[memory.is],
      login: this.login,
      revision: this.published?.revision ?? 0,
      tokenRevision: this.epoch,
      ...(held?.record.expiresAt !== undefined && { expiresAt: held.record.expiresAt }),
      canRefresh: !!held?.record.refreshToken && [...this.pages].some(({ abilities }) => abilities.refreshes),
      persisted: !!isKept && (memory.is === 'held' || memory.is === 'empty'),
      ...(error && { error: { code: error.code, message: error.message } }),
      ...(reason && { reason }),
      ...(retryAt !== undefined && { retryAt }),
      revokes: this.revokes.length,
    };
  }

  /** Ends the login and keeps what it leaves for whoever revokes. */
  private endLogin(): void {
    const { held, memory, unsaved } = this;
    const replacesUnread = /notRead|unreadable/.test(memory.is) || !!unsaved?.replacesUnread;
    if (held) this.keepToRevoke(held.record);
    this.begin();
    this.unsaved = this.store && { replacesUnread, failures: 0 };
  }

  private begin(): void {
    this.login++;
    this.epoch++;
    this.past = [];
    clearTimeout(this.retry);
    this.refreshes.endLogin();
  }

  private inOrder(work: () => Promise<void>): Promise<void> {
    this.queue = this.queue.then(work);
    return this.queue;
  }

  private async read(): Promise<void> {
    this.reading = this.inOrder(async () => {
      const { store, epoch } = this;
      if (!store || this.unsaved) return;
      try {
        const record = await store.read();
        if (epoch === this.epoch) this.found(record);
      } catch (error) {
        // What memory holds stays.
        if (epoch === this.epoch && this.memory.is === 'notRead')
          this.memory = { is: 'unreadable', error: error as SecureTokenError };
      }
      this.publish();
    });
    await this.reading;
    this.reading = undefined;
  }

  /** Resolves when the store has answered to what memory holds now. */
  private save(): Promise<void> {
    return this.inOrder(async () => {
      const { store, unsaved, epoch, held } = this;
      if (!store || !unsaved) return;
      try {
        if (unsaved.replacesUnread) await this.findUnread(store);
        unsaved.replacesUnread = false;
        await store.write(held?.remember ? held.record : undefined);
        if (epoch === this.epoch) this.unsaved = undefined;
      } catch (error) {
        if (epoch === this.epoch) this.writeFailed(unsaved, error as SecureTokenError);
      }
      this.publish();
    });
  }

  /** A record that is about to be replaced unread. If it cannot be read now, it never will. */
  private async findUnread(store: OwnerStore): Promise<void> {
    try {
      const record = await store.read();
      if (record && record.token !== this.held?.record.token) this.keepToRevoke(record);
    } catch (error) {
      console.warn(`secure-token: a record was not revoked, since it could not be read: ${error}`);
    }
  }

  private writeFailed(unsaved: Unsaved, error: SecureTokenError): void {
    this.unsaved = { ...unsaved, failures: unsaved.failures + 1, error };
    clearTimeout(this.retry);
    if (!error.retryable) return;
    const delay = Math.min(500 * 2 ** unsaved.failures, 30_000) * (1 + Math.random());
    this.retry = setTimeout(() => void this.save(), delay);
  }
}

/** One owner per account of this page. */
const owners = new Map<string, MemoryOwner>();

/** Connects the page to the owner of an account that lives as long as the page. */
export function memoryOwner(account: string): Owner {
  let owner = owners.get(account);
  if (!owner) {
    owner = new MemoryOwner();
    owners.set(account, owner);
  }
  return owner.connect();
}
