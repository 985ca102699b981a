// The demo app on a private desktop with its API: what the end-to-end tests and the headless demo both drive.
import { createApi, createOther } from '../../examples/vue-pinia/api/server.mjs';
import { AppWindow, launchDriver } from './app-window.mjs';
import { startDesktop } from './desktop.mjs';
import { builtBinary } from './paths.mjs';

// What the demo stores its record under: the identifier in its tauri.conf.json and the default account.
const attributes = { service: 'app.secure-token.vue-pinia', username: 'default' };

/**
 * `deadlineMs`: how long the plugin waits for the key store.
 * `accessTokenSeconds`: long by default, so that no token expires by the clock in the middle of a test.
 * `graceSeconds`: how long the API takes a used refresh token once more.
 * `refreshInRust`: Rust carries out the refreshes, and no page.
 */
export async function startDemo({
  deadlineMs,
  accessTokenSeconds = 3600,
  graceSeconds = 0,
  refreshInRust = false,
  prompter = false,
} = {}) {
  const desktop = await startDesktop({ prompter });
  const api = await createApi({ testHooks: true, accessTokenSeconds, graceSeconds });
  const other = await createOther();
  const env = {
    ...desktop.env,
    SECURE_TOKEN_DEMO_API: api.url,
    SECURE_TOKEN_DEMO_OTHER: other.url,
    SECURE_TOKEN_DEMO_REFRESH_IN_RUST: String(refreshInRust),
    ...(deadlineMs && { SECURE_TOKEN_DEMO_DEADLINE_MS: String(deadlineMs) }),
  };
  return new Demo({ desktop, api, other, env });
}

class Demo {
  /** Every run of the app so far, the ended ones too. */
  runs = [];
  #env;
  #apiIsUp = true;

  constructor({ desktop, api, other, env }) {
    this.desktop = desktop;
    this.keyring = desktop.keyring;
    this.api = api;
    this.other = other;
    this.#env = env;
  }

  /** `windows`: how many windows the app opens at its start. */
  async launch({ windows = 1 } = {}) {
    const env = { ...this.#env, SECURE_TOKEN_DEMO_WINDOWS: String(windows) };
    const run = new DemoWindow(await launchDriver(builtBinary('vue-pinia'), env));
    this.runs.push(run);
    return run;
  }

  /** What rests in the keyring, as another program sees it; undefined when there is nothing. */
  stored() {
    return this.keyring.lookup(attributes);
  }

  /** The access token and the refresh token within what is stored. */
  storedRecord() {
    const [name, version, payload] = this.stored()?.split('.') ?? [];
    if (`${name}.${version}` !== 'secure-token.v1') return undefined;
    return JSON.parse(Buffer.from(payload, 'base64url'));
  }

  /** Calls that the API answered, for instance `calls('/me', 401)`. */
  calls(path, status) {
    return this.api.log.filter((call) => call.path === path && (!status || call.status === status));
  }

  /** Makes every access token invalid, as a server does before the client knows. */
  async expireTokens() {
    const { ok } = await fetch(`${this.api.url}/test/expire`, { method: 'POST' });
    if (!ok) throw new Error('the API did not expire its tokens');
  }

  async stopApi() {
    if (!this.#apiIsUp) return;
    this.#apiIsUp = false;
    await this.api.close();
  }

  async stop() {
    for (const run of this.runs) await run.stop();
    await this.stopApi();
    await this.other.close();
    await this.desktop.stop();
  }
}

class DemoWindow extends AppWindow {
  async login(user = 'demo', password = 'demo') {
    await this.fill('login-user', user);
    await this.fill('login-password', password);
    await this.click('login-submit');
    await this.shows('status', 'signedIn');
  }

  /** Goes to a window by its label; it may still be opening. */
  async goTo(window) {
    await this.switchTo(`the ${window} window`, (url) => labelOf(url) === window);
  }
}

function labelOf(url) {
  const { pathname, searchParams } = new URL(url);
  if (pathname.endsWith('/guest.html')) return 'guest';
  return searchParams.get('window') ?? 'main';
}
