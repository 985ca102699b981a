// Plays one scenario, then lets everything come to rest and looks at what is left.

import { drained } from '../../support/realm.js';
import { App, type Load } from './app.js';
import { tokenOf } from './lineage.js';
import { Page } from './page.js';
import { Server } from './server.js';
import { type Scenario, type Step, WINDOWS } from './steps.js';
import { CALM, type Choice, World } from './world.js';

const record = (login: number) => ({ token: tokenOf(login), refreshToken: `r${tokenOf(login)}` });

export class Run {
  readonly #world = new World();
  readonly #server = new Server(this.#world);
  readonly #load: Load;
  #app: App | undefined;
  #pages: Page[] = [];
  #away = new Set<Page>();
  #logins = 1;

  constructor(load: Load) {
    this.#load = load;
  }

  async play({ isStored, steps }: Scenario): Promise<void> {
    const world = this.#world;
    this.#app = new App(world, this.#load, isStored ? record(this.#logins) : undefined);
    this.#pages = Array.from({ length: WINDOWS }, (_, index) => this.#open(index));
    for (const step of steps) {
      world.log.push(`step ${JSON.stringify(step)}`);
      this.#step(step);
      await this.#settle();
    }
    await this.#rest();
    // A person tries again what the store refused.
    for (const page of this.#pages) page.wait('hydrate', page.session.hydrate());
    await this.#rest();
    this.#judge();
    if (world.broken.length > 0)
      throw new Error(`${world.broken.join('\n')}\nWhat happened:\n- ${world.log.join('\n- ')}`);
  }

  #open(index: number): Page {
    return new Page(this.#world, this.#app as App, this.#server, this.#load, `page ${index}`);
  }

  async #settle(): Promise<void> {
    await drained();
    for (const page of this.#pages) if (!this.#away.has(page)) page.check();
  }

  #take(pick: number, choice: Choice): boolean {
    const task = this.#world.take(pick);
    if (!task) return false;
    this.#world.log.push(task.what);
    task.run(choice);
    return true;
  }

  #step(step: Step): void {
    if (step.kind === 'take') {
      this.#take(step.pick, step);
      return;
    }
    if (step.kind === 'timer') {
      this.#world.takeTimer()?.run();
      return;
    }
    if (step.kind === 'expire') {
      this.#world.now += 3_600_000;
      return;
    }
    if (step.kind === 'strict') {
      const next = step.clears ? undefined : record(++this.#logins);
      const app = this.#app as App;
      app.stored = next;
      app.owner.found(next);
      return;
    }
    const page = this.#pages[step.window] as Page;
    if (step.kind === 'back') {
      if (this.#away.delete(page)) page.comeBack();
      return;
    }
    if (this.#away.has(page)) return;
    switch (step.kind) {
      case 'login':
        page.login({ ...record(++this.#logins), expiresIn: 900 });
        return;
      case 'logout':
        page.logout();
        return;
      case 'request':
        page.request();
        return;
      case 'refresh':
        page.wait('refresh', page.session.refresh());
        return;
      case 'hydrate':
        page.wait('hydrate', page.session.hydrate());
        return;
      case 'reload':
        page.leave(true);
        this.#pages[step.window] = this.#open(step.window);
        return;
      case 'away':
        page.leave(false);
        this.#away.add(page);
        return;
      case 'dispose':
        page.session.dispose();
        page.leave(true);
        this.#pages[step.window] = this.#open(step.window);
    }
  }

  /** All that is owed happens, nothing fails any more, and all timers ring. */
  async #rest(): Promise<void> {
    for (const page of this.#away) page.comeBack();
    this.#away.clear();
    for (let turn = 0; turn < 2000; turn++) {
      await this.#settle();
      if (this.#take(0, CALM)) continue;
      const timer = this.#world.takeTimer();
      if (!timer) return;
      timer.run();
    }
    this.#world.broken.push('it does not come to rest');
  }

  #judge(): void {
    const world = this.#world;
    const { owner, stored } = this.#app as App;
    const held = owner.held?.record;
    for (const page of this.#pages) {
      const { name, session, open } = page;
      const { status, persisted, error } = session.getSnapshot();
      world.demand(open.size === 0, `P6 ${name}: ${[...open]} did not settle`);
      world.demand(
        session.getToken() === held?.token,
        `${name} has ${session.getToken()}, the owner ${held?.token}`,
      );
      world.demand(status === (held ? 'signedIn' : 'signedOut'), `${name} is ${status}`);
      world.demand(
        !persisted || stored?.token === held?.token,
        `P2 ${name} calls persisted what is not stored`,
      );
      world.demand(persisted && !error, `${name} is not persisted`);
    }
  }
}
