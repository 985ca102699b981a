// The promises that hold whatever happens in whatever order, checked for one page after each step.

import type { TokenRecord } from '../../../ipc/commands.js';
import type { ErrorCode } from '../../../ipc/errors.js';
import type { Snapshot } from '../../../session/session.js';
import { loginOf, SECRET } from './lineage.js';
import type { Page } from './page.js';
import type { Args, Write } from './vault.js';
import type { ServerAnswer } from './world.js';

export class Rules {
  /** A login, logout or refresh that the store may not have yet: only then may this page write. */
  #changed = false;
  /** Somebody said that there is no token: the store, a logout or the server. */
  #mayBeOut = false;
  /** Logins that this page left behind by a login or logout of its own. */
  readonly #left = new Set<number>();
  /** Logins made here whose writes may be under way or tried again: they count as not made yet for others. */
  readonly #pending = new Set<number>();
  #loggedOut = false;
  /** What the refreshes that were asked for and have not settled name as rejected. */
  readonly #asked = new Set<{ rejected: string | undefined }>();
  /** A timer rang: it may refresh what is in memory. */
  #rang = false;
  readonly #flights: { token: string; signal: AbortSignal }[] = [];
  #heard: Snapshot | undefined;
  /** Logins and logouts so far, and how many there were when the page sent its call: one is under way at a time. */
  #changes = 0;
  #changesAtCall = 0;
  /** The latest of them has not been sent to the store. */
  #isNew = false;
  /** The token that the page asked to store last, and how often it asked for a clear. */
  #written: string | undefined;
  #clears = 0;
  /** How often the page asked for a read, and whether its last write demanded a revision. */
  #reads = 0;
  #demandedRevision = false;
  /** The store may hold a refresh token that is used up, or a token of an earlier login. */
  #stale: boolean | 'perhaps' = false;
  /** What has to hold after this step. */
  readonly #due: (() => void)[] = [];
  #refused = false;
  #disposed = false;
  /** A write was sent and not answered; once disposed, also one that was. */
  #wrote = false;
  /** Every token that was in memory, oldest first. */
  readonly #seen: string[] = [];

  constructor(
    readonly page: Page,
    readonly others: () => Iterable<Page>,
  ) {}

  start(): void {
    this.#heard = this.page.session.getSnapshot();
    this.page.session.listen((snapshot) => this.#listen(snapshot));
  }

  /** Before a login or logout of this page. */
  change(login?: number): void {
    const token = this.page.session.getToken();
    if (token && !this.#isPendingElsewhere(loginOf(token))) this.#left.add(loginOf(token));
    this.#changed = this.#stale = true;
    this.#changes++;
    this.#isNew = true;
    if (login !== undefined) this.#pending.add(login);
    this.#loggedOut = login === undefined;
    if (this.#loggedOut) this.#mayBeOut = true;
  }

  /** A token for a 401 to name. */
  tokenToReject(which: 'any' | 'current' | 'old' | 'foreign'): string | undefined {
    switch (which) {
      case 'any':
        return undefined;
      case 'current':
        return this.page.session.getToken();
      case 'old':
        return this.#seen.at(-2);
      case 'foreign':
        return this.#seen.find((token) => this.#left.has(loginOf(token))) ?? 'another';
    }
  }

  dispose(): void {
    this.#disposed = true;
  }

  isPending(login: number): boolean {
    return this.#pending.has(login);
  }

  timerRings(): void {
    this.#rang = true;
  }

  refresh(rejected: string | undefined, answer: Promise<string | undefined>): void {
    const { name } = this.page;
    const asked = { rejected };
    this.#asked.add(asked);
    const settle = () => this.#asked.delete(asked);
    answer.then((token) => {
      settle();
      if (token === undefined || this.#disposed) return;
      this.#demand(token === this.page.session.getToken(), `${name} got ${token}, which is not in memory`);
      this.#demand(
        rejected === undefined || !this.#left.has(loginOf(rejected)),
        `P3 ${name} repeats a request of an earlier login, with ${token} for ${rejected}`,
      );
    }, settle);
  }

  /** The page sends a call. */
  ask(command: string, args: Args): void {
    const { name } = this.page;
    this.#changesAtCall = this.#changes;
    if (command === 'set_token') this.#written = args.token;
    if (command === 'clear_token') this.#clears++;
    if (command === 'get_token') this.#reads++;
    const writes = command === 'set_token' || command === 'clear_token';
    if (writes) {
      this.#demandedRevision = args.ifRevision !== undefined;
      this.#demand(!this.#disposed || !this.#wrote, `P3 ${name}: a disposed session writes a second time`);
      this.#wrote = true;
      const wins = args.ifRevision === undefined;
      this.#demand(wins || !this.#isNew, `P3 ${name}: a login or logout gives way to what came before it`);
      this.#isNew = false;
    }
    this.#demand(!writes || this.#changed, `P1 ${name} wrote although only reads happened`);
    this.#demand(
      !args.token || !this.#left.has(loginOf(args.token)),
      `P3 ${args.token} is written after its end`,
    );
  }

  /** The store carries out a write of this page. */
  written({ before, after, acknowledged }: Write): void {
    const { world } = this.page;
    world.log.push(`stored: ${after?.token ?? 'nothing'}, before: ${before?.token ?? 'nothing'}`);
    if (after) {
      this.#demand(
        !world.ended.has(loginOf(after.token)),
        `P3 ${after.token} is stored again after a logout`,
      );
    } else if (this.#loggedOut && acknowledged) {
      for (const login of [...this.#left, ...(before ? [loginOf(before.token)] : [])]) {
        if (!this.#isPendingElsewhere(login)) world.ended.add(login);
      }
    }
  }

  /** The answer of a call reaches the page. */
  hear(command: string, value: unknown, error?: ErrorCode): void {
    const isCurrent = this.#changesAtCall === this.#changes;
    if (!this.#disposed) this.#wrote = false;
    // That was its only try.
    else if (command === 'set_token') this.#pending.clear();
    if (command === 'get_token' && !error && value === null) this.#mayBeOut = true;
    if (command === 'get_token' && error) {
      this.#expectSameToken('a failed read');
      if (!isCurrent) this.#expectSameSnapshot();
    }
    if (command === 'clear_token' && !error && isCurrent)
      this.#stale = this.page.session.getToken() === this.#written ? false : 'perhaps';
    if (command === 'set_token' && error && error !== 'conflict' && isCurrent) {
      if (error === 'timeout' && this.#demandedRevision) this.#expectRead();
      else this.#expectClear();
    }
  }

  #expectSameToken(after: string): void {
    const { name, session } = this.page;
    const before = session.getToken();
    this.#due.push(() => {
      const token = session.getToken();
      this.#demand(token === before, `P1 ${name}: ${after} changed ${before} to ${token}`);
    });
  }

  #expectSameSnapshot(): void {
    const { name, session } = this.page;
    const before = session.getSnapshot();
    this.#due.push(() => {
      this.#demand(
        session.getSnapshot() === before,
        `P3 ${name}: a read from before a login or logout is shown`,
      );
    });
  }

  /** A write may have happened: before a stored token that is used up goes, the page looks whose it is. */
  #expectRead(): void {
    const { name, session } = this.page;
    if (this.#disposed || session.getToken() !== this.#written || this.#stale !== true) return;
    const reads = this.#reads;
    this.#due.push(() => {
      this.#demand(this.#reads > reads, `${name}: a write timed out and the stored token was not looked at`);
    });
  }

  /** A write failed: what is stored goes if it is used up, and only then. */
  #expectClear(): void {
    const { name, session } = this.page;
    if (this.#disposed || session.getToken() !== this.#written) return;
    const clears = this.#clears;
    const isStale = this.#stale;
    if (isStale === 'perhaps') return;
    this.#due.push(() => {
      this.#demand(
        this.#clears > clears === isStale,
        `${name}: a write failed and the stored token, ${isStale ? '' : 'not '}used up, was ${isStale ? 'kept' : 'cleared'}`,
      );
    });
  }

  /** A refresh reaches the server. The answer is called when its own answer comes. */
  buy(held: TokenRecord, signal: AbortSignal): (answer: ServerAnswer) => void {
    const { token } = held;
    const asked = [...this.#asked].some(({ rejected }) => rejected === undefined || rejected === token);
    this.#demand(asked || this.#rang, `${token} is refreshed although nobody asked for that`);
    this.#demand(
      !this.#flights.some((flight) => flight.token === token && !flight.signal.aborted),
      `two refreshes of ${token} at once`,
    );
    this.#demand(!this.#left.has(loginOf(token)), `P3 ${token} is refreshed after its end`);
    const flight = { token, signal };
    this.#flights.push(flight);
    return (answer) => {
      this.#flights.splice(this.#flights.indexOf(flight), 1);
      if (signal.aborted || token !== this.page.session.getToken()) {
        this.#expectSameToken('a refresh of an earlier token');
        return;
      }
      if (answer === 'refused') this.#mayBeOut = this.#refused = true;
      if (answer === 'rotated') this.#stale = true;
      if (answer !== 'network' && answer !== 'busy') this.#changed = true;
    };
  }

  signOut(reason: string): void {
    const { status } = this.page.session.getSnapshot();
    this.page.world.log.push(`${this.page.name}: signed out, ${reason}`);
    this.#demand(status === 'signedOut', `${this.page.name}: onSignedOut(${reason}) while ${status}`);
  }

  noToken(text: string): void {
    this.#demand(!text.includes(SECRET), `P4 a token in ${text}`);
  }

  /** After each step, when nothing is left that could run by itself. */
  check(): void {
    const { session, name } = this.page;
    const snapshot = session.getSnapshot();
    const token = session.getToken();
    if (!this.#disposed) {
      this.#demand(snapshot === this.#heard, `${name}: a listener missed ${JSON.stringify(snapshot)}`);
      // A refusal is not shown before the store has answered: another window may have been faster.
      this.#demand(
        token === undefined
          ? this.#refused || snapshot.status !== 'signedIn'
          : snapshot.status === 'signedIn',
        `${name}: ${snapshot.status} with ${token}`,
      );
    }
    this.#demand(
      snapshot.status !== 'signedOut' || this.#mayBeOut,
      `P1 ${name} is signed out, but nobody said so`,
    );
    for (const expect of this.#due.splice(0)) expect();
    if (snapshot.status !== 'hydrating') this.#rang = false;
    if (token) this.#loggedOut = false;
    if (token && token !== this.#seen.at(-1)) this.#seen.push(token);
    if (token) this.#demand(!this.#left.has(loginOf(token)), `P3 ${name}: ${token} is back in memory`);
    if (snapshot.persisted && !this.#refused) {
      this.#changed = this.#stale = false;
      this.#pending.clear();
    }
  }

  #listen(snapshot: Snapshot): void {
    const { name, world } = this.page;
    this.noToken(JSON.stringify(snapshot));
    this.#demand(Object.isFrozen(snapshot), `${name}: a snapshot can be changed`);
    this.#demand(
      JSON.stringify(snapshot) !== JSON.stringify(this.#heard),
      `${name}: a listener heard the same twice`,
    );
    world.log.push(`${name}: ${JSON.stringify(snapshot)}`);
    this.#heard = snapshot;
    this.#refused = false;
  }

  /**
   * The one exception of P3: a login that timed out and was carried out all the same. Another window can see it and log
   * out, and the retry of the window that made it then brings it back: nobody can tell that from a login that came later.
   */
  #isPendingElsewhere(login: number): boolean {
    return [...this.others()].some((page) => page.rules.isPending(login));
  }

  /** Kept and not thrown: the session would take what is thrown for a failure of the store. */
  #demand(holds: boolean, promise: string): void {
    if (!holds) this.page.world.broken.push(promise);
  }
}
