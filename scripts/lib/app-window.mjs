// One run of a Tauri app under WebDriver: its windows, its page and all that it printed.
import { remote } from 'webdriverio';
import { freePort, startProcess } from './processes.mjs';
import { until } from './until.mjs';

// Only a test that fails waits so long: a busy machine takes its time to start a browser.
const patience = 120_000;
const ports = 3;

/** Starts a program under WebDriver; `env` is that of the desktop. */
export async function launchDriver(binary, env, args = []) {
  const { driver, port } = await startDriver(env);
  try {
    const browser = await remote({
      hostname: '127.0.0.1',
      port,
      logLevel: 'error',
      connectionRetryTimeout: patience,
      connectionRetryCount: 0,
      waitforTimeout: patience,
      capabilities: {
        // WebKitGTK's driver refuses the capability that asks for WebDriver BiDi.
        'wdio:enforceWebDriverClassic': true,
        'webkitgtk:browserOptions': { binary, args },
      },
    });
    return { browser, driver };
  } catch (error) {
    await driver.stop();
    throw new Error(`the app did not start:\n${driver.output()}`, { cause: error });
  }
}

/** The driver takes no port of the system's choice, so another program can be faster than it. */
async function startDriver(env) {
  for (let attempt = 1; ; attempt += 1) {
    const port = await freePort();
    const driver = await startProcess('WebKitWebDriver', ['--host=127.0.0.1', `--port=${port}`], {
      env: { ...env, TAURI_WEBVIEW_AUTOMATION: 'true' },
    });
    try {
      await driver.ready('its port answers', async () => (await fetch(`http://127.0.0.1:${port}/status`)).ok);
      return { driver, port };
    } catch (error) {
      await driver.stop();
      if (attempt === ports) throw error;
    }
  }
}

export class AppWindow {
  stopped = false;
  #driver;

  constructor({ browser, driver }) {
    this.browser = browser;
    this.#driver = driver;
  }

  /** What the app and the driver wrote to standard output and standard error. */
  output() {
    return this.#driver.output();
  }

  /** Ends the app the hard way: what it acknowledged must have been durable. */
  async stop() {
    if (this.stopped) return;
    this.stopped = true;
    await this.#driver.stop('SIGKILL');
  }

  element(id) {
    return this.browser.$(`[data-testid="${id}"]`);
  }

  async click(id) {
    const element = this.element(id);
    await element.waitForClickable();
    await element.click();
  }

  async fill(id, text) {
    const element = this.element(id);
    await element.waitForDisplayed();
    await element.setValue(text);
  }

  /** What the element says to programs (`data-value`), or else the text that people read. */
  async text(id) {
    const element = this.element(id);
    if (!(await element.isExisting())) return undefined;
    return (await element.getAttribute('data-value')) ?? element.getText();
  }

  /** Waits until the element's text is `wanted`, or matches it. */
  async shows(id, wanted, options) {
    let seen;
    await until(
      `"${id}" shows ${wanted}`,
      async () => {
        seen = await this.text(id);
        return seen !== undefined && (wanted instanceof RegExp ? wanted.test(seen) : seen === wanted);
      },
      options,
    ).catch((error) => {
      throw new Error(`${error.message}; it shows ${JSON.stringify(seen)}`, { cause: error });
    });
  }

  /** WebKitGTK takes a picture with the next frame, which a page at rest never draws: so something moves, unseen. */
  async screenshot(path) {
    await this.browser.execute(() => {
      const frames = [{ opacity: 1 }, { opacity: 0.999 }];
      window.moving = document.documentElement.animate(frames, { duration: 1000, iterations: Infinity });
    });
    await this.browser.saveScreenshot(path);
    await this.browser.execute(() => window.moving.cancel());
  }

  /** Switches to the window whose address fits, and waits for it to open. */
  async switchTo(what, fits) {
    await until(what, async () => {
      for (const handle of await this.browser.getWindowHandles()) {
        await this.browser.switchToWindow(handle);
        if (fits(await this.browser.getUrl())) return true;
      }
      return false;
    });
  }
}
