// One page in one window: the real session over a bridge whose every message is a task that waits to be picked.

import type { TokenRecord } from '../../../ipc/commands.js';
import { type ErrorCode, SecureTokenError } from '../../../ipc/errors.js';
import type { Session, Tokens } from '../../../session/session.js';
import type { Package, Surroundings } from '../../support/realm.js';
import { nextOf } from './lineage.js';
import { Rules } from './rules.js';
import type { Args, Call, Vault } from './vault.js';
import type { ServerAnswer, Task, World } from './world.js';

export type Load = (surroundings: Surroundings) => Package;

const CAUSES: Record<Exclude<ServerAnswer, 'rotated' | 'kept'>, object> = {
  network: { message: 'no network' },
  busy: { status: 503 },
  refused: { status: 400, error: 'invalid_grant' },
};

export class Page {
  readonly session: Session;
  readonly rules: Rules;
  /** Promises of the session that have not settled. */
  readonly open = new Set<string>();
  #waits = 0;
  /** False once the page was left: what was on its way to it is lost. */
  #alive = true;
  readonly #callbacks: ((message: unknown) => void)[] = [];
  /** Requests that have not reached the native side. */
  readonly #sent = new Map<Task, () => void>();

  constructor(
    readonly world: World,
    readonly vault: Vault,
    load: Load,
    readonly name: string,
    keepsFresh: boolean,
    others: () => Iterable<Page>,
  ) {
    const api = load({
      globals: {
        __TAURI_INTERNALS__: {
          invoke: (command: string, args: Args & { channel?: { id: number } }) => this.#invoke(command, args),
          transformCallback: (callback: (message: unknown) => void) => this.#callbacks.push(callback) - 1,
        },
        addEventListener() {},
        removeEventListener() {},
      },
      now: () => world.now,
      setTimeout: (run, delay) =>
        world.setTimeout(() => {
          if (!this.#alive) return;
          this.rules.timerRings();
          run();
        }, delay),
      clearTimeout: (timer) => world.clearTimeout(timer),
    });
    this.rules = new Rules(this, others);
    this.session = api.createSession({
      refresh: (held, signal) => this.#refresh(held, signal),
      revoke: (record) => this.#revoke(record),
      onSignedOut: (reason) => this.rules.signOut(reason),
      onError: (error) => this.rules.noToken(`${error} ${JSON.stringify(error)}`),
    });
    this.rules.start();
    if (keepsFresh) api.keepFresh(this.session, (error) => this.rules.noToken(String(error)));
    this.wait('ready', this.session.ready());
  }

  get alive(): boolean {
    return this.#alive;
  }

  /** Remembers that a promise has to settle. */
  wait(what: string, promise: Promise<unknown>): void {
    const name = `${what} #${this.#waits++}`;
    this.open.add(name);
    promise.then(
      () => this.open.delete(name),
      (cause: unknown) => {
        this.open.delete(name);
        this.rules.noToken(String(cause));
      },
    );
  }

  /** The page is gone: its requests have reached the native side or never will, and no answer reaches it. */
  leave(arrive: boolean): void {
    this.#alive = false;
    this.vault.channels.delete(this);
    for (const [task, run] of this.#sent) {
      this.world.drop(task);
      if (arrive) run();
    }
    this.#sent.clear();
    this.open.clear();
  }

  #invoke(name: string, args: Args & { channel?: { id: number } }): Promise<unknown> {
    const command = name.replace('plugin:secure-token|', '');
    return new Promise((resolve, reject) => {
      const answer = (value: unknown, code?: ErrorCode) => {
        this.world.owe(`${this.name} hears of ${command}: ${code ?? JSON.stringify(value)}`, () => {
          if (!this.#alive) return;
          this.rules.hear(command, value, code);
          if (code) reject({ code, message: `the store said ${code}` });
          else resolve(value);
        });
      };
      const arrive = () => {
        if (command === 'watch_tokens') {
          this.#watch(args.channel?.id ?? 0);
          answer(null);
        } else {
          this.vault.receive({
            command: command as Call['command'],
            args,
            answer,
            written: (change) => this.rules.written(change),
          });
        }
      };
      this.rules.ask(command, args);
      const sent = this.world.owe(`${this.name} asks for ${command} ${JSON.stringify(args)}`, () => {
        this.#sent.delete(sent);
        arrive();
      });
      this.#sent.set(sent, arrive);
    });
  }

  #watch(id: number): void {
    let index = 0;
    this.vault.channels.set(this, () => {
      const own = index++;
      return (message) => this.#callbacks[id]?.({ message, index: own });
    });
  }

  #refresh(held: TokenRecord, signal: AbortSignal): Promise<Tokens> {
    const land = this.rules.buy(held, signal);
    return new Promise((resolve, reject) => {
      this.world.owe(`the server refreshes ${held.token} for ${this.name}`, ({ server }) => {
        if (!this.#alive) return;
        land(server);
        if (server !== 'rotated' && server !== 'kept') return reject(CAUSES[server]);
        const token = nextOf(held.token);
        resolve(server === 'kept' ? { token } : { token, refreshToken: `${token}r` });
      });
    });
  }

  #revoke(record: TokenRecord): Promise<void> {
    this.world.log.push(`${this.name} revokes ${record.token}`);
    return new Promise((resolve, reject) => {
      this.world.owe(`the server revokes ${record.token}`, ({ server }) =>
        server === 'network' ? reject(new SecureTokenError('internal', 'no network')) : resolve(),
      );
    });
  }
}
