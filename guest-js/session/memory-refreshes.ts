// One refresh for all who wait, in the owner in JavaScript: who carries it out, and what became of the last one.

import type { TokenRecord } from '../ipc/commands.js';
import { SecureTokenError } from '../ipc/errors.js';
import type { Lease, RefreshOutcome, TokenQuery, TokenResult } from '../ipc/owner.js';
import type { MemoryOwner, Page } from './memory-owner.js';
import { receive } from './receive.js';
import { delayAfter } from './retry-delay.js';

/** How long a page has for a refresh, or to take one that it is asked for, in milliseconds. */
const LEASE = 60_000;

/** For how many milliseconds a token that arrived does not count as expired, and may be refused only once. */
const MINIMUM_USE = 10_000;

/** For how many milliseconds a refused token is handed on after a refresh did not help. */
const FLOOR = 60_000;

/** How many leases whose login has ended are remembered, for pages that answer late. */
const ORPHANS = 64;

/** Numbers the leases of all accounts, so that an answer cannot reach another refresh. */
let leases = 0;

/** A refresh under way. */
interface Flight {
  login: number;
  record: TokenRecord;
  /** Who carries it out. Nobody: the next page that asks may. */
  holder?: { lease: number; page: Page } | undefined;
  /** The owner has the tokens, and waits for the store. */
  isAnswered: boolean;
  timer: ReturnType<typeof setTimeout> | undefined;
}

/** A failure that speaks for those who come until then. */
interface Rest {
  flight: Flight;
  error: SecureTokenError;
  failures: number;
  since: number;
  until: number;
}

const conflict = () =>
  new SecureTokenError('conflict', 'the lease has ended, was answered already, or is of another page');

export class MemoryRefreshes {
  private flight: Flight | undefined;
  private rest: Rest | undefined;
  /** Since when refused tokens are handed on. */
  private floor: number | undefined;
  /** Leases whose login has ended: what was bought with them is to be revoked. */
  private orphans: { lease: number; page: Page; record: TokenRecord }[] = [];
  /** The page that was last asked to refresh, until it comes. */
  private invited: Page | undefined;
  private waiters: (() => void)[] = [];

  constructor(private readonly owner: MemoryOwner) {}

  get retryAt(): number | undefined {
    return this.rest?.until;
  }

  /** Something has changed that somebody may wait for. */
  notify(): void {
    const { waiters } = this;
    this.waiters = [];
    for (const look of waiters) look();
  }

  endLogin(): void {
    this.rest = this.floor = undefined;
    const { flight } = this;
    if (flight?.holder && !flight.isAnswered)
      this.orphans = [...this.orphans, { ...flight.holder, record: flight.record }].slice(-ORPHANS);
    this.endFlight();
  }

  /** The page is gone, and its lease with it. */
  leave(page: Page): void {
    this.orphans = this.orphans.filter((orphan) => orphan.page !== page);
    const { flight } = this;
    if (flight?.holder?.page === page && !flight.isAnswered) this.offer(flight);
  }

  /** Resolves with the token that is wanted, or if `canLease` with the lease to buy it. */
  async want(page: Page, query: TokenQuery, canLease: boolean): Promise<TokenResult | Lease> {
    const { owner } = this;
    const { fresh, minLife = 0, rejected, accepted } = query;
    let { login } = query;
    let waitedFor: Flight | undefined;
    for (;;) {
      if (!owner.isRead()) {
        await this.change();
        continue;
      }
      login ??= owner.login;
      const { held } = owner;
      if (!held || login !== owner.login) return owner.result();
      const { token } = held.record;
      if (rejected !== undefined && rejected !== token)
        return owner.result(owner.past.includes(rejected) ? token : undefined);
      const isEnough = fresh ? !this.isDue(minLife) : rejected === undefined && !canLease;
      if (isEnough) return owner.result(token);
      if (waitedFor && this.rest?.flight === waitedFor) throw this.rest.error;
      if (this.flight) {
        waitedFor = this.flight;
        if (canLease && !waitedFor.holder) return this.lease(waitedFor, page);
        await this.change();
        continue;
      }
      if (!canLease && !this.nextPage()) return owner.result(rejected === undefined ? token : undefined);
      const isForced = !fresh && rejected === undefined;
      // Another page has carried out the refresh that this one wanted, or was asked to take.
      if (isForced && (waitedFor || this.wasInvited(page))) return owner.result(token);
      if (!isForced && this.isResting()) throw this.rest?.error;
      if (rejected !== undefined && this.isAtFloor(accepted)) return owner.result();
      this.flight = { login, record: held.record, isAnswered: false, timer: undefined };
      if (!canLease) this.offer(this.flight);
    }
  }

  async answer(page: Page, lease: number, outcome: RefreshOutcome): Promise<TokenResult> {
    const { owner, flight } = this;
    const tokens = 'token' in outcome ? receive(outcome) : undefined;
    const orphan = this.orphans.find((other) => other.lease === lease && other.page === page);
    if (orphan) {
      this.orphans = this.orphans.filter((other) => other !== orphan);
      if (tokens) owner.keepToRevoke({ refreshToken: orphan.record.refreshToken, ...tokens });
      return owner.result();
    }
    const isHeld = flight?.holder?.lease === lease && flight.holder.page === page && !flight.isAnswered;
    if (!flight || !isHeld) throw conflict();
    const { login, record } = flight;
    flight.isAnswered = true;
    clearTimeout(flight.timer);
    if (tokens) {
      await owner.rotate(tokens, login, record);
      if (this.flight === flight) this.rest = undefined;
    } else if ('ended' in outcome) await owner.refuse();
    else if ('failed' in outcome) this.fail(flight, outcome.retryAfter, outcome.status);
    if (this.flight === flight) this.endFlight();
    return owner.result(login === owner.login ? owner.held?.record.token : undefined);
  }

  private change(): Promise<void> {
    return new Promise((resolve) => this.waiters.push(resolve));
  }

  private lease(flight: Flight, page: Page): Lease {
    const lease = ++leases;
    flight.holder = { lease, page };
    this.invited = undefined;
    this.setTimer(flight, () => this.offer(flight));
    const { login, record } = flight;
    return { lease, record: { ...record }, login };
  }

  /** Lets the next page that comes carry it out, and asks one to come. */
  private offer(flight: Flight): void {
    flight.holder = undefined;
    this.setTimer(flight, () => {
      const error = new SecureTokenError('timeout', 'no page carried out the refresh');
      this.rest = { flight, error, failures: 0, since: Date.now(), until: Date.now() };
      this.endFlight();
      this.owner.publish();
    });
    this.invited = this.nextPage();
    if (this.invited) this.owner.tell(this.invited, { refresh: true });
    this.notify();
  }

  private setTimer(flight: Flight, ring: () => void): void {
    clearTimeout(flight.timer);
    flight.timer = setTimeout(ring, LEASE);
  }

  private endFlight(): void {
    clearTimeout(this.flight?.timer);
    this.flight = undefined;
  }

  private fail(flight: Flight, asked = 0, status?: number): void {
    const text = status === undefined ? 'the refresh failed' : `the refresh failed with status ${status}`;
    const failures = this.rest ? this.rest.failures + 1 : 0;
    const since = Date.now();
    const until = since + delayAfter(asked, failures);
    this.rest = { flight, error: new SecureTokenError('unavailable', text), failures, since, until };
  }

  private isResting(): boolean {
    const now = Date.now();
    // A clock that was set back: nobody knows how long ago the failure was.
    return !!this.rest && now >= this.rest.since && now < this.rest.until;
  }

  private isNew(): boolean {
    const { arrivedAt } = this.owner.held ?? {};
    if (arrivedAt === undefined) return false;
    const age = Date.now() - arrivedAt;
    return age >= 0 && age < MINIMUM_USE;
  }

  private isDue(minLife: number): boolean {
    const { expiresAt } = this.owner.held?.record ?? {};
    return expiresAt !== undefined && Date.now() + minLife >= expiresAt && !this.isNew();
  }

  private isAtFloor(accepted: boolean | undefined): boolean {
    if (accepted) this.floor = undefined;
    const age = this.floor === undefined ? FLOOR : Date.now() - this.floor;
    // Below 0: the clock was set back, and nobody knows how long ago it was.
    if (age >= 0 && age < FLOOR) return true;
    this.floor = this.isNew() ? Date.now() : undefined;
    return false;
  }

  /** The page to ask for a refresh: the one that opened last, and then the one before. */
  private nextPage(): Page | undefined {
    const able = [...this.owner.pages].filter(({ abilities }) => abilities.refreshes).reverse();
    const [first, ...others] = able;
    return this.invited && this.invited === first ? (others[0] ?? first) : first;
  }

  private wasInvited(page: Page): boolean {
    const wasInvited = this.invited === page;
    if (wasInvited) this.invited = undefined;
    return wasInvited;
  }
}
