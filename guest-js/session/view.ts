// What this page knows of the session of one account: the owner's snapshot with its token, and the logins and logouts of this
// page that the owner has not carried out yet.

import type { TokenRecord } from '../ipc/commands.js';
import { ownError, SecureTokenError } from '../ipc/errors.js';
import type { Abilities, Owner, OwnerMessage, OwnerSnapshot, TokenResult } from '../ipc/owner.js';
import { emit } from '../shared/emit.js';
import type { Refresher } from './carry-out.js';
import { ownerOf } from './page-owner.js';
import { Renewal } from './renewal.js';
import type { SignedOutReason, Snapshot } from './session-types.js';

/** A session of this page. */
export interface Viewer {
  refresher: Refresher | undefined;
  revoke: ((record: TokenRecord) => Promise<void>) | undefined;
  report(error: unknown): void;
}

/** A login or logout of this page. It is shown at once. */
export interface Change {
  status: 'signedIn' | 'signedOut';
  token?: string | undefined;
  expiresAt?: number | undefined;
  canRefresh: boolean;
  send(owner: Owner): Promise<OwnerSnapshot>;
}

/** A change that the owner may not have carried out yet. */
interface Pending extends Change {
  /** The login of the owner when the change was sent. */
  base: number | undefined;
  /** Lets the next change go, since calls of the IPC may overtake each other. */
  arrive: () => void;
  arrived: Promise<void>;
}

/** What is shown, always of one moment. */
interface Shown {
  snapshot: OwnerSnapshot;
  token: string | undefined;
  since: number;
}

const HYDRATING = { status: 'hydrating', canRefresh: false, persisted: false } as const;

/** Never rejects, so that the next change goes whatever became of this one. */
function pend(change: Change): Pending {
  let arrive = () => {};
  const arrived = new Promise<void>((resolve) => {
    arrive = resolve;
  });
  return { ...change, base: undefined, arrive, arrived };
}

export class View {
  /** Called after each change of what is shown. */
  readonly listeners = new Set<(_: undefined) => void>();
  snapshot: Snapshot = Object.freeze({ ...HYDRATING, login: 0 });
  /** Why the last login has ended, if somebody knows. */
  reason: SignedOutReason | undefined;

  private readonly owner: Promise<Owner>;
  private readonly viewers = new Set<Viewer>();
  private told: Abilities | undefined;
  private opening: Promise<void> | undefined;
  /** Counts the logins and logouts that this page knows of. */
  private login = 0;
  /** The owner's number of the last login that was counted. */
  private counted: number | undefined;
  /** The newest snapshot of the owner, and what is shown of it. */
  private latest: OwnerSnapshot | undefined;
  private shown: Shown | undefined;
  /** The newest token that this page has got. */
  private fetched: { token: string | undefined; tokenRevision: number } | undefined;
  private fetching: Promise<void> | undefined;
  private changes: Pending[] = [];
  /** How many changes the store has not answered to. */
  private unanswered = 0;
  /** The change that was the last to be confirmed, until it is shown. */
  private confirmed: Change | undefined;
  /** Why the owner could not be asked. */
  private error: SecureTokenError | undefined;
  private readonly renewal = new Renewal(this);
  /** Ends what waits for a call whose response went to a page that is gone. */
  private readonly waiting = new Set<(error: Error) => void>();
  private readonly gone = new SecureTokenError('unavailable', 'the page was left meanwhile');
  private isRevoking = false;

  constructor(account: string) {
    this.owner = ownerOf(account);
    globalThis.addEventListener?.('beforeunload', () => this.renewal.leave());
    globalThis.addEventListener?.('pagehide', () => this.leave());
    globalThis.addEventListener?.('pageshow', (event) => {
      if (event.persisted) this.comeBack();
    });
  }

  attach(viewer: Viewer): void {
    this.viewers.add(viewer);
    const { refreshes, revokes } = this.abilities();
    if (this.told && !(refreshes && !this.told.refreshes) && !(revokes && !this.told.revokes)) this.show();
    else void this.open();
  }

  detach(viewer: Viewer): void {
    this.viewers.delete(viewer);
    if (this.viewers.size > 0) return;
    // Nobody looks any more, so there is no token here either.
    this.shown = this.fetched = undefined;
    this.snapshot = Object.freeze({ ...HYDRATING, login: this.login });
  }

  get ownerLogin(): number | undefined {
    return this.shown?.snapshot.login;
  }

  /** The token that is shown. */
  get token(): string | undefined {
    return (this.unshown ?? this.shown)?.token;
  }

  /** Until when refreshing rests. Unknown once the clock was set back: nobody knows how long ago the failure was. */
  get retryAt(): number | undefined {
    const { shown } = this;
    const now = Date.now();
    const at = shown?.snapshot.retryAt;
    return shown && at !== undefined && shown.since <= now && now < at ? at : undefined;
  }

  /** Opens the session again, should nothing else do so after a `pagehide`. */
  wake(): void {
    if (!this.latest && !this.opening && !this.error) void this.open();
  }

  async hydrate(): Promise<void> {
    if (this.snapshot.status === 'unavailable') {
      this.error = this.shown = undefined;
      this.publish();
    }
    await (this.latest ? this.receiveFrom((owner) => owner.hydrate()) : this.open());
  }

  /** Shows the change at once, and resolves when the store has answered. Rejects if the owner refused it. */
  async change(change: Change): Promise<void> {
    const before = this.lastChange?.arrived;
    const pending = pend(change);
    this.changes.push(pending);
    this.unanswered++;
    this.error = undefined;
    this.newLogin();
    this.publish();
    await before;
    pending.base = this.latest?.login;
    try {
      const snapshot = await this.ask(change.send);
      this.confirm(pending);
      await this.receive(snapshot);
    } catch (error) {
      if (this.confirm(pending)) {
        this.confirmed = undefined;
        this.newLogin();
        if (error !== this.gone) this.error = error as SecureTokenError;
        this.publish();
      }
      throw error;
    } finally {
      this.unanswered--;
      void this.revoke();
    }
  }

  /** @throws If `refresh` of this page asks, since it would wait for itself. */
  refuseItself(): void {
    this.renewal.refuseItself();
  }

  async freshToken(minLife: number): Promise<string | undefined> {
    const { token, login } = this;
    const { expiresAt, status, error } = this.snapshot;
    if (status === 'unavailable') throw error;
    if (token === undefined || expiresAt === undefined || Date.now() + minLife < expiresAt) return token;
    // The owner must know the login before it is asked about it.
    await this.settle();
    if (login !== this.login) return undefined;
    // The clock may be wrong, and the server decides.
    const fresh = await this.renewal.renew({ fresh: true, minLife }).catch(() => token);
    return login === this.login ? fresh : undefined;
  }

  async refresh(rejected: string | undefined, accepted: boolean | undefined): Promise<string | undefined> {
    const { login } = this;
    const { status, error } = this.snapshot;
    if (status === 'unavailable') throw error;
    await this.settle();
    if (login !== this.login || this.snapshot.status !== 'signedIn') return undefined;
    const next = await this.renewal.renew(rejected === undefined ? {} : { rejected, accepted });
    return login === this.login ? next : undefined;
  }

  private get lastChange(): Pending | undefined {
    return this.changes[this.changes.length - 1];
  }

  /** The newest change of this page, until a snapshot of the owner that has it is shown. */
  private get unshown(): Change | undefined {
    return this.lastChange ?? this.confirmed;
  }

  /** Resolves when the owner knows of all changes of this page, and this page its response. */
  async settle(): Promise<void> {
    for (let next = this.next; next; next = this.next) await next;
  }

  private get next(): Promise<void> | undefined {
    return this.lastChange?.arrived ?? this.fetching;
  }

  private abilities(): Abilities {
    const viewers = [...this.viewers];
    return {
      refreshes: viewers.some(({ refresher }) => refresher),
      revokes: viewers.some(({ revoke }) => revoke),
    };
  }

  /** The newest session of the page that can refresh: hot reload leaves older ones behind. */
  get refresher(): Refresher | undefined {
    return [...this.viewers].reverse().find(({ refresher }) => refresher)?.refresher;
  }

  private report(error: unknown): void {
    for (const viewer of this.viewers) viewer.report(error);
  }

  async ask<T>(work: (owner: Owner) => Promise<T>): Promise<T> {
    const owner = await this.owner;
    return new Promise<T>((resolve, reject) => {
      this.waiting.add(reject);
      work(owner)
        .then(resolve, reject)
        .finally(() => this.waiting.delete(reject));
    });
  }

  private open(): Promise<void> {
    const abilities = this.abilities();
    this.told = abilities;
    const opening = this.receiveFrom((owner) => owner.open((message) => this.hear(message), abilities)).then(
      () => {
        if (this.opening === opening) this.opening = undefined;
      },
    );
    this.opening = opening;
    return opening;
  }

  private async receiveFrom(work: (owner: Owner) => Promise<OwnerSnapshot>): Promise<void> {
    try {
      await this.receive(await this.ask(work));
    } catch (error) {
      if (error !== this.gone) this.fail(error as SecureTokenError);
    }
  }

  private fail(error: SecureTokenError): void {
    this.error = error;
    this.report(error);
    this.publish();
  }

  private hear(message: OwnerMessage): void {
    if ('snapshot' in message) void this.receive(message.snapshot);
    // Whoever waits for it hears from the owner how it ended.
    else if (this.refresher) this.renewal.renew({}).catch(() => {});
  }

  /** Resolves when the snapshot is shown, if it is to be. */
  async receive(snapshot: OwnerSnapshot, got?: TokenResult): Promise<void> {
    if (got?.token !== undefined && got.tokenRevision >= (this.fetched?.tokenRevision ?? 0))
      this.fetched = { token: got.token, tokenRevision: got.tokenRevision };
    if (!this.latest || snapshot.revision > this.latest.revision) this.latest = snapshot;
    this.error = undefined;
    this.show();
    await this.fetching;
  }

  protected get lacksToken(): boolean {
    const { latest, fetched } = this;
    return latest?.status === 'signedIn' && latest.tokenRevision !== fetched?.tokenRevision;
  }

  /** Shows the newest snapshot, as soon as its token is here. */
  private show(): void {
    const { latest } = this;
    if (!latest) return;
    // Nobody looks, so there is no token here either.
    if (this.viewers.size === 0) {
      this.fetched = undefined;
      return;
    }
    if (this.lacksToken) {
      this.fetching ??= this.fetch();
      return;
    }
    const [first] = this.changes;
    if (first && this.hasCarriedOut(first, latest)) this.confirm(first);
    if (this.changes.length > 0) return;
    const token = latest.status === 'signedIn' ? this.fetched?.token : undefined;
    const before = this.shown?.snapshot;
    const own = this.confirmed;
    this.confirmed = undefined;
    // What this page did itself has counted already.
    const isOwn = own?.status === latest.status && own.token === token;
    const isAnother = own !== undefined || (this.counted !== undefined && this.counted !== latest.login);
    if (isAnother && !isOwn) this.newLogin();
    // While nobody knows who is signed in there is no login to count.
    if (/^signed/.test(latest.status)) this.counted = latest.login;
    this.shown = { snapshot: latest, token, since: Date.now() };
    this.reason = latest.reason;
    this.publish();
    if (latest.error && JSON.stringify(latest.error) !== JSON.stringify(before?.error)) {
      this.report(ownError(latest.error));
    }
    void this.revoke();
  }

  /** Fetches the token of the newest snapshot, until that is the newest. */
  private async fetch(): Promise<void> {
    try {
      while (this.lacksToken) this.take(await this.ask((owner) => owner.token()));
    } catch (error) {
      const { latest } = this;
      // A window that may not have a token shows the session all the same.
      if ((error as SecureTokenError).code === 'forbidden' && latest)
        this.fetched = { token: undefined, tokenRevision: latest.tokenRevision };
      else if (error !== this.gone) this.fail(error as SecureTokenError);
    }
    // First, since what is shown may make somebody ask again.
    this.fetching = undefined;
    if (!this.lacksToken) this.show();
  }

  private take({ token, tokenRevision, snapshot }: TokenResult): void {
    this.fetched = { token, tokenRevision };
    if (!this.latest || snapshot.revision > this.latest.revision) this.latest = snapshot;
  }

  /** Whether `snapshot` shows that the owner has carried out the change, before its response is here. */
  private hasCarriedOut({ status, token, base }: Pending, snapshot: OwnerSnapshot): boolean {
    // The login before may have had the same token.
    if (status === 'signedIn')
      return snapshot.status === 'signedIn' && this.fetched?.token === token && snapshot.login !== base;
    return snapshot.status === 'signedOut' && base !== undefined && snapshot.login !== base;
  }

  /** Returns whether the change was still to be confirmed. */
  private confirm(change: Pending): boolean {
    change.arrive();
    if (!this.changes.includes(change)) return false;
    this.changes = this.changes.filter((other) => other !== change);
    this.confirmed = change;
    return true;
  }

  private newLogin(): void {
    this.login++;
    this.renewal.end();
  }

  private publish(): void {
    const change = this.unshown;
    if (change) this.reason = change.status === 'signedOut' ? 'logout' : undefined;
    const next = this.compose();
    if (JSON.stringify(next) === JSON.stringify(this.snapshot)) return;
    this.snapshot = next;
    emit(this.listeners, undefined);
  }

  private compose(): Snapshot {
    const change = this.unshown;
    const snapshot = this.shown?.snapshot;
    const { status, expiresAt, canRefresh, persisted } = change
      ? { ...change, persisted: false }
      : (snapshot ?? { ...HYDRATING, expiresAt: undefined });
    const error = this.error ?? (change || !snapshot?.error ? undefined : ownError(snapshot.error));
    const isUnknown = status === 'hydrating' && error;
    return Object.freeze({
      status: isUnknown ? 'unavailable' : status,
      login: this.login,
      ...(expiresAt !== undefined && { expiresAt }),
      canRefresh,
      persisted,
      ...(error && { error }),
    });
  }

  private async revoke(): Promise<void> {
    const viewer = [...this.viewers].reverse().find(({ revoke }) => revoke);
    // Last of all: a logout is done before the network is asked for anything.
    const { shown } = this;
    if (!viewer?.revoke || !shown?.snapshot.revokes || this.isRevoking || this.unanswered > 0) return;
    this.isRevoking = true;
    try {
      for (const record of await this.ask((owner) => owner.revokes()))
        Promise.resolve(record).then(viewer.revoke).catch(viewer.report);
    } catch (error) {
      viewer.report(error);
    }
    this.isRevoking = false;
    // Another record may have come meanwhile.
    if (shown !== this.shown) void this.revoke();
  }

  /** What is here may be outdated when a page comes back from the back-forward cache. */
  private leave(): void {
    this.renewal.end();
    if (this.confirmed) this.newLogin();
    this.confirmed = this.latest = this.shown = this.fetched = this.opening = undefined;
    this.snapshot = this.compose();
  }

  private comeBack(): void {
    // Responses and messages of the time before went to the page that was there meanwhile.
    for (const reject of this.waiting) reject(this.gone);
    this.error = undefined;
    void this.open();
    emit(this.listeners, undefined);
  }
}
