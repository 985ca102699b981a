// Looks for tokens where none may be: pages, their logs and storage, the console, the app's output, files (P4).
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A JWT's parts are looked for too, so that half a token is found as well. */
const partsOf = (token) => [token, ...token.split('.')].filter((part) => part.length >= 16);

export class LeakWatch {
  #demo;
  #secrets = new Set();

  constructor(demo) {
    this.#demo = demo;
  }

  /** Takes note of the tokens that the keyring holds now; to be called after each login and rotation. */
  remember() {
    const { token, refreshToken } = this.#demo.storedRecord();
    this.lookFor(token);
    this.lookFor(refreshToken);
    this.#secrets.add(this.#demo.stored());
  }

  /** Takes note of a token that no keyring holds. */
  lookFor(token) {
    for (const part of partsOf(token)) this.#secrets.add(part);
  }

  /** WebDriver Classic has no console log, so the page keeps one from here on. */
  async listenToConsole(app) {
    await app.browser.execute(() => {
      const said = [];
      window.saidByConsole = said;
      const text = (value) =>
        value instanceof Error ? `${value.stack} ${value.message}` : JSON.stringify(value);
      for (const level of ['debug', 'log', 'info', 'warn', 'error']) {
        const original = console[level];
        console[level] = (...values) => {
          said.push(values.map(text).join(' '));
          original.apply(console, values);
        };
      }
      window.addEventListener('error', ({ error }) => said.push(text(error)));
      window.addEventListener('unhandledrejection', ({ reason }) => said.push(text(reason)));
    });
  }

  async check() {
    assert.ok(this.#secrets.size > 0, 'no token was seen, so none could be found');
    for (const [place, text] of [...(await this.#pages()), ...this.#outputs(), ...this.#files()]) {
      for (const secret of this.#secrets) assert.ok(!text.includes(secret), `P4: a token is in ${place}`);
    }
  }

  async #pages() {
    const places = [];
    for (const app of this.#demo.runs.filter((run) => !run.stopped)) {
      for (const handle of await app.browser.getWindowHandles()) {
        await app.browser.switchToWindow(handle);
        const url = await app.browser.getUrl();
        const page = await app.browser.execute(() => ({
          html: document.documentElement.outerHTML,
          console: window.saidByConsole,
          storage: [
            { ...localStorage },
            { ...sessionStorage },
            document.cookie,
            history.state,
            location.href,
          ],
          pinia: document.querySelector('#app')?.__vue_app__.config.globalProperties.$pinia.state.value,
        }));
        if (!url.includes('guest')) assert.ok(page.pinia?.session, 'the Pinia state was found');
        for (const [what, value] of Object.entries(page))
          places.push([`${what} of ${url}`, JSON.stringify(value)]);
      }
    }
    return places;
  }

  #outputs() {
    const outputs = this.#demo.runs.map((run, index) => [`the output of run ${index + 1}`, run.output()]);
    return [...outputs, ["the API's log", JSON.stringify(this.#demo.api.log)]];
  }

  /** Everything that the app, WebKit and the keyring wrote: the keyring's file is encrypted. */
  #files() {
    const { folder } = this.#demo.desktop;
    return filesIn(folder).map((path) => [
      path.slice(folder.length),
      unlessGone('', () => readFileSync(path, 'latin1')),
    ]);
  }
}

function filesIn(folder) {
  const entries = unlessGone([], () => readdirSync(folder, { withFileTypes: true }));
  return entries.flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return filesIn(path);
    return entry.isFile() ? [path] : [];
  });
}

/** The programs still run, and remove files of theirs at any time. */
function unlessGone(otherwise, read) {
  try {
    return read();
  } catch (error) {
    if (error.code === 'ENOENT') return otherwise;
    throw error;
  }
}
