// How a page gets the next token: it asks the owner, who may give it the lease to buy one.

import type { SecureTokenError } from '../ipc/errors.js';
import type { Lease, Owner, OwnerSnapshot, RefreshOutcome, TokenQuery, TokenResult } from '../ipc/owner.js';
import { carryOut, type Refresher, waitsForItself } from './carry-out.js';

/** For how long a page that is about to be left keeps a failure to itself, in milliseconds. */
const TIME_TO_LEAVE = 5000;

/** The page that asks. */
interface Asker {
  readonly refresher: Refresher | undefined;
  readonly token: string | undefined;
  readonly ownerLogin: number | undefined;
  ask<T>(work: (owner: Owner) => Promise<T>): Promise<T>;
  receive(snapshot: OwnerSnapshot, result: TokenResult): Promise<void>;
}

/** A refresh that this page carries out. */
interface Flight {
  token: string;
  result: Promise<string | undefined>;
  /** Lets go of those who wait, since nobody needs the tokens any more. */
  end(): void;
}

export class Renewal {
  private flight: Flight | undefined;
  /** Why the refresh of a token failed here. The owner tells only that it did. */
  private failure: { cause: unknown; token: string } | undefined;
  private readonly asked = new Map<string, Promise<string | undefined>>();
  private isCalling = false;
  private leaving: Promise<void> | undefined;

  constructor(private readonly page: Asker) {}

  /** The login of the flight under way has ended. */
  end(): void {
    this.failure = undefined;
    this.flight?.end();
    this.flight = undefined;
  }

  /**
   * The page is about to be left. WebKit fails its requests before it is gone, and that is no failure of the refresh: the next
   * page carries it out.
   */
  leave(): void {
    this.leaving = new Promise((resolve) => {
      setTimeout(resolve, TIME_TO_LEAVE);
    });
  }

  /** @throws If `refresh` itself asks, and so would wait for what it is about to do. */
  refuseItself(): void {
    if (this.isCalling) throw waitsForItself();
  }

  /** The token that `query` asks for. One question and one flight for all who ask the same. */
  renew(query: TokenQuery): Promise<string | undefined> {
    const { flight } = this;
    if (flight && (query.rejected ?? flight.token) === flight.token) return flight.result;
    const key = JSON.stringify(query);
    const same = this.asked.get(key);
    if (same) return same;
    const asked = this.ask(query).finally(() => this.asked.delete(key));
    this.asked.set(key, asked);
    return asked;
  }

  private async ask(query: TokenQuery): Promise<string | undefined> {
    const { refresher, token, ownerLogin: login } = this.page;
    const own = { ...query, login };
    try {
      if (refresher) {
        const result = await this.page.ask((owner) => owner.lease(own));
        if ('lease' in result) return await this.fly(result, refresher);
        return await this.take(result);
      }
      // A page that cannot carry out a refresh cannot force one: its token counts as refused.
      const isForced = !query.fresh && query.rejected === undefined;
      const asked = isForced ? { ...own, rejected: token } : own;
      return await this.take(await this.page.ask((owner) => owner.token(asked)));
    } catch (error) {
      const { failure } = this;
      if (failure?.token === this.page.token && (error as SecureTokenError)?.code === 'unavailable')
        throw failure?.cause;
      throw error;
    }
  }

  private async take(result: TokenResult): Promise<string | undefined> {
    await this.page.receive(result.snapshot, result);
    return result.token;
  }

  private async fly(lease: Lease, refresher: Refresher): Promise<string | undefined> {
    const stop = new AbortController();
    let end = () => {};
    const ended = new Promise<undefined>((resolve) => {
      end = () => {
        stop.abort();
        resolve(undefined);
      };
    });
    const result = Promise.race([this.buy(lease, refresher, stop), ended]);
    const flight = { token: lease.record.token, result, end };
    this.flight = flight;
    try {
      return await result;
    } finally {
      if (this.flight === flight) this.flight = undefined;
    }
  }

  private async buy(
    { lease, record }: Lease,
    refresher: Refresher,
    stop: AbortController,
  ): Promise<string | undefined> {
    const { token } = record;
    this.isCalling = true;
    const ending = carryOut(refresher, record, stop);
    this.isCalling = false;
    const { outcome, failure } = await ending;
    if (failure) await this.leaving;
    // The owner waits for this also if nobody here does: what was bought must be stored or revoked.
    const result = await this.answer(lease, outcome);
    const next = await this.take(result);
    if (!failure) return next;
    this.failure = { cause: failure.cause, token };
    throw failure.cause;
  }

  private async answer(lease: number, outcome: RefreshOutcome): Promise<TokenResult> {
    try {
      return await this.page.ask((owner) => owner.answer(lease, outcome));
    } catch (error) {
      // Tokens that the owner cannot take leave the lease as it is, and others wait for its end.
      if (/invalid|large/.test((error as SecureTokenError).code))
        await this.page.ask((owner) => owner.answer(lease, { failed: true }));
      throw error;
    }
  }
}
