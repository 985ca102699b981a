// Plays a scenario: two windows of one app, of which the second keeps its token fresh, step by step, then until all is quiet and the store works.

import { drained } from '../../support/realm.js';
import { loginOf, tokenOf } from './lineage.js';
import { type Load, Page } from './page.js';
import { type Scenario, type Step, WINDOWS } from './steps.js';
import { Vault } from './vault.js';
import { CALM, World } from './world.js';

/** More tasks and timers than this in a calm world means that something never comes to rest. */
const LONGEST_REST = 1000;

export class Run {
  readonly world = new World();
  readonly vault = new Vault(this.world);
  readonly #pages: Page[] = [];
  /** The page that each window shows. */
  readonly #shown: Page[] = [];
  #logins = 0;

  constructor(readonly load: Load) {}

  async play({ stored, memoryCopy, steps }: Scenario): Promise<void> {
    const { world } = this;
    this.vault.memoryCopy = memoryCopy;
    if (stored) this.vault.stored = this.#newRecord(true);
    for (let window = 0; window < WINDOWS; window++) this.#open(window);
    for (const step of steps) {
      if (step.do === 'quiet') await this.#settle(step.hydrate);
      else this.#do(step);
      await this.#check();
    }
    await this.#settle(false);
    await this.#settle(true);
    for (const page of this.#pages) {
      for (const what of page.open) world.broken.push(`P6 ${what} of ${page.name} never settles`);
    }
    this.#report();
  }

  #newRecord(refreshToken: boolean) {
    const token = tokenOf(++this.#logins);
    return refreshToken ? { token, refreshToken: `${token}r` } : { token };
  }

  #open(window: number): void {
    const page: Page = new Page(
      this.world,
      this.vault,
      this.load,
      `page ${this.#pages.length}`,
      window === 1,
      () => this.#pages.filter((other) => other !== page && other.alive),
    );
    this.#pages.push(page);
    this.#shown[window] = page;
  }

  #do(step: Exclude<Step, { do: 'quiet' }>): void {
    const { world, vault } = this;
    const page = this.#shown['window' in step ? step.window : 0] as Page;
    const { session, rules } = page;
    const { log } = world;
    switch (step.do) {
      case 'login': {
        const record = this.#newRecord(step.refreshToken);
        log.push(`${page.name}: login ${record.token}`);
        rules.change(loginOf(record.token));
        page.wait('login', session.login({ ...record, expiresIn: step.expiresIn }));
        break;
      }
      case 'logout':
        log.push(`${page.name}: logout`);
        rules.change();
        page.wait('logout', session.logout());
        break;
      case 'hydrate':
        page.wait('hydrate', session.hydrate());
        break;
      case 'fresh': {
        const answer = session.freshToken();
        rules.refresh(undefined, answer);
        page.wait('freshToken', answer);
        break;
      }
      case 'ready':
        page.wait('ready', session.ready());
        break;
      case 'refresh': {
        const rejected = rules.tokenToReject(step.rejected);
        log.push(`${page.name}: refresh ${rejected}`);
        const answer = session.refresh(rejected);
        rules.refresh(rejected, answer);
        page.wait('refresh', answer);
        break;
      }
      case 'app':
        log.push(`the app signs ${step.present ? 'in' : 'out'}`);
        vault.change(step.present ? this.#newRecord(true) : undefined);
        break;
      case 'dispose':
        log.push(`${page.name}: dispose`);
        rules.dispose();
        session.dispose();
        this.#open(step.window);
        break;
      case 'reload':
        log.push(`${page.name}: reload`);
        page.leave(step.arrive);
        this.#open(step.window);
        break;
      case 'sleep':
        world.now += step.seconds * 1000;
        break;
      case 'timer':
        world.takeTimer()?.run();
        break;
      case 'task': {
        const task = world.take(step.pick);
        if (!task) break;
        log.push(`- ${task.what} (${step.store}, ${step.server})`);
        task.run(step);
      }
    }
  }

  async #check(): Promise<void> {
    await drained();
    for (const page of this.#pages) if (page.alive) page.rules.check();
    if (this.world.broken.length > 0) this.#report();
  }

  async #settle(hydrate: boolean): Promise<void> {
    if (hydrate) for (const page of this.#shown) page.wait('hydrate', page.session.hydrate());
    await this.#quiet();
    if (hydrate || !this.vault.untold) for (const page of this.#shown) this.#agree(page, hydrate);
  }

  /** Runs all that is owed, in its order and without faults. */
  async #quiet(): Promise<void> {
    const { world } = this;
    await this.#check();
    for (let count = 0; count < LONGEST_REST; count++) {
      const task = world.take(0);
      if (task) {
        world.log.push(`- ${task.what}`);
        task.run(CALM);
      } else {
        const timer = world.takeTimer();
        if (!timer) return;
        timer.run();
      }
      await this.#check();
    }
    world.broken.push('it never comes to rest');
  }

  /** The store holds what memory holds, or the page does not say so. */
  #agree(page: Page, afterHydrate: boolean): void {
    const { stored } = this.vault;
    const { persisted, status, error } = page.session.getSnapshot();
    // A start that could not read waits for hydrate; everything else is tried again by itself.
    const isDue = afterHydrate || (status !== 'unavailable' && !!error?.retryable);
    const agrees = stored?.token === page.session.getToken();
    if (persisted ? !agrees : isDue) {
      this.world.broken.push(
        `${page.name}: ${status} with ${page.session.getToken()}, persisted ${persisted}, but ${stored?.token} is stored`,
      );
    }
  }

  #report(): void {
    const { broken, log } = this.world;
    if (broken.length > 0) throw new Error(`${broken.join('\n')}\n\nWhat happened:\n${log.join('\n')}`);
  }
}
