// One page in one window: the real session over a bridge whose every message is a task that waits to be picked.

import type { TokenRecord } from '../../../ipc/commands.js';
import type { Lease, Owner, OwnerMessage, TokenQuery } from '../../../ipc/owner.js';
import type { Session, Snapshot, Tokens } from '../../../session/session.js';
import type { App, Load } from './app.js';
import { loginOf, SECRET } from './lineage.js';
import type { Server } from './server.js';
import type { World } from './world.js';

type Args = Record<string, unknown> & { channel?: { id: number } };

const copy = <T>(value: T): T => (value === undefined ? value : JSON.parse(JSON.stringify(value)));

export class Page {
  readonly session: Session;
  /** Promises of the session that have not settled. */
  readonly open = new Set<string>();
  /** Logins that this page left by a login or logout of its own: their tokens must not be shown again. */
  readonly #left = new Set<number>();
  /** Whose token was shown under each number of a login. */
  readonly #lineages = new Map<number, number>();
  readonly #callbacks: ((data: unknown) => void)[] = [];
  readonly #listeners = new Map<string, (event: { persisted: boolean }) => void>();
  #connection: (Owner & { close(): void }) | undefined;
  #losses: (() => void)[] = [];
  /** Logins and logouts on their way to the owner. */
  readonly #sent = new Set<() => void>();
  #isGone = false;
  /** Counts the times that the page was left: what was on its way to it then is lost. */
  #visit = 0;
  #waits = 0;

  constructor(
    readonly world: World,
    readonly app: App,
    readonly server: Server,
    load: Load,
    readonly name: string,
  ) {
    const api = load({
      globals: {
        __TAURI_INTERNALS__: {
          invoke: (command: string, args: Args) => this.#invoke(command, args),
          transformCallback: (callback: (data: unknown) => void) => this.#callbacks.push(callback) - 1,
        },
        addEventListener: (name: string, listener: (event: { persisted: boolean }) => void) =>
          this.#listeners.set(name, listener),
        removeEventListener() {},
      },
      now: () => world.now,
      setTimeout: (run, delay) =>
        world.setTimeout(() => {
          if (!this.#isGone) run();
        }, delay),
      clearTimeout: (timer) => world.clearTimeout(timer),
    });
    this.session = api.createSession({
      refresh: (record) => this.#refresh(record),
      revoke: async (record) => void world.log.push(`${name} revokes ${record.token}`),
      onError: (error) => this.noToken(`${error} ${JSON.stringify(error)}`),
    });
    this.session.listen((snapshot) => this.#look(snapshot));
    this.wait('ready', this.session.ready());
  }

  /** Remembers that a promise has to settle. */
  wait(what: string, promise: Promise<unknown>): void {
    const name = `${what} #${this.#waits++}`;
    this.open.add(name);
    promise.then(
      () => this.open.delete(name),
      (cause: unknown) => {
        this.open.delete(name);
        this.noToken(String(cause));
      },
    );
  }

  login(tokens: Tokens): void {
    this.#leaveLogin();
    this.wait('login', this.session.login(tokens));
  }

  logout(): void {
    this.#leaveLogin();
    this.wait('logout', this.session.logout());
    this.world.demand(this.session.getToken() === undefined, `P3 ${this.name} has a token after a logout`);
  }

  /** A request that comes back with a 401 after some time. */
  request(): void {
    const { session, name, world } = this;
    const before = session.getToken();
    const sent = session.freshToken();
    this.wait('fresh token', sent);
    sent.then(
      (token) => {
        if (token === undefined) return;
        this.#isSame(before, token, 'sends a request');
        world.owe(`${name} gets a 401 for ${token}`, () => {
          if (this.#isGone) return;
          const next = session.refresh(token);
          this.wait('refresh', next);
          next.then(
            (next) => this.#isSame(token, next, 'repeats a request'),
            () => {},
          );
        });
      },
      () => {},
    );
  }

  /** The page is gone, or in the back-forward cache. */
  leave(forGood: boolean): void {
    this.#listeners.get('pagehide')?.({ persisted: !forGood });
    this.#isGone = true;
    this.#visit++;
    // What it asked for has arrived by now, or never will.
    for (const arrive of this.#sent) arrive();
    this.#sent.clear();
    this.#connection?.close();
    this.#connection = undefined;
    for (const lose of this.#losses) lose();
    if (forGood) this.open.clear();
  }

  comeBack(): void {
    if (!this.#isGone) return;
    this.#isGone = false;
    this.#listeners.get('pageshow')?.({ persisted: true });
    const { status } = this.session.getSnapshot();
    const hasToken = this.session.getToken() !== undefined;
    const isChanging = [...this.open].some((what) => /^log/.test(what));
    this.world.demand(
      isChanging || (status === 'hydrating' && !hasToken),
      `P3 ${this.name} comes back and is ${status} before it has asked`,
    );
  }

  noToken(text: string): void {
    this.world.demand(!text.includes(SECRET), `P4 ${this.name} shows a token: ${text}`);
  }

  /** What holds after every step. */
  check(): void {
    const { session, name, world } = this;
    const token = session.getToken();
    if (token === undefined) return;
    const { login, status } = session.getSnapshot();
    const lineage = loginOf(token);
    world.demand(status === 'signedIn', `${name} has ${token} and is ${status}`);
    world.demand(!this.#left.has(lineage), `P3 ${name} shows ${token} after its end`);
    const known = this.#lineages.get(login) ?? lineage;
    this.#lineages.set(login, known);
    world.demand(known === lineage, `P9 ${name} shows ${token} under the login of ${known}`);
  }

  #look(snapshot: Snapshot): void {
    this.noToken(JSON.stringify(snapshot));
    this.check();
  }

  #leaveLogin(): void {
    const token = this.session.getToken();
    if (token !== undefined) this.#left.add(loginOf(token));
  }

  #isSame(before: string | undefined, after: string | undefined, what: string): void {
    const isOther = before !== undefined && after !== undefined && loginOf(before) !== loginOf(after);
    this.world.demand(!isOther, `P9 ${this.name} ${what} of ${before} with ${after}`);
  }

  #refresh(record: TokenRecord): Promise<Tokens> {
    const { tokens, lose } = this.server.refresh(record);
    this.#losses.push(lose);
    // The owner gives the lease to another page then.
    this.world.setTimeout(lose, 30_000);
    return tokens;
  }

  #invoke(name: string, args: Args): Promise<unknown> {
    const command = name.replace('plugin:secure-token|session_', '');
    const { channel, ...rest } = args;
    const sent = copy(rest);
    const visit = this.#visit;
    return new Promise((resolve, reject) => {
      const respond = (what: string, act: () => void) =>
        this.world.owe(`${this.name} hears of ${command}: ${what}`, () => {
          if (!this.#isGone && visit === this.#visit) act();
        });
      const arrive = () => {
        this.#ask(command, sent, channel?.id ?? 0).then(
          (value) => respond(JSON.stringify(value ?? null), () => resolve(copy(value))),
          (cause) => respond(String(cause), () => reject({ code: cause.code, message: cause.message })),
        );
      };
      if (/sign_/.test(command)) this.#sent.add(arrive);
      this.world.owe(`${this.name} asks for ${command} ${JSON.stringify(sent)}`, () => {
        this.#sent.delete(arrive);
        if (visit === this.#visit) arrive();
      });
    });
  }

  async #ask(command: string, { account: _, lease, ...args }: Args, channel: number): Promise<unknown> {
    this.#connection ??= this.app.owner.connect();
    const owner = this.#connection;
    switch (command) {
      case 'open':
        return owner.open(this.#listener(channel), args as { refreshes: boolean; revokes: boolean });
      case 'hydrate':
        return owner.hydrate();
      case 'sign_in':
        return owner.signIn(args as unknown as Tokens);
      case 'sign_out':
        return owner.signOut();
      case 'token':
        return owner.token(args as TokenQuery);
      case 'lease':
        return owner.lease(args as TokenQuery);
      case 'answer':
        return owner.answer((lease as Lease['lease'] | undefined) ?? 0, args as unknown as Tokens);
      default:
        return owner.revokes();
    }
  }

  #listener(id: number): (message: OwnerMessage) => void {
    let index = 0;
    const visit = this.#visit;
    return (message) => {
      const own = index++;
      const data = { message: copy(message), index: own };
      this.world.owe(`${this.name} is told ${JSON.stringify(message)}`, () => {
        if (!this.#isGone && visit === this.#visit) this.#callbacks[id]?.(data);
      });
    };
  }
}
