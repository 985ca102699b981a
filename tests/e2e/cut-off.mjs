// Where a refresh is stopped, and what cuts it off there.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { startProcess } from '../../scripts/lib/processes.mjs';
import { until } from '../../scripts/lib/until.mjs';
import { beginRefresh, openSecond } from './steps.mjs';

/**
 * Where a refresh can be. `stop` begins one in the window that is shown and keeps it there. It returns what lets the refresh
 * go on; `isLeft` says that what carried it out is gone.
 */
export const steps = [
  { does: 'waits for its turn', at: 'turn', stop: waitForTurn },
  { does: 'is on its way to the server', at: 'request', stop: (t, app) => hold(t, app, 'request') },
  // The server has replaced the refresh token by now.
  { does: 'is on its way back', at: 'response', stop: (t, app) => hold(t, app, 'response') },
  { does: 'is being stored', at: 'store', stop: holdStore },
];

/** What ends the page that is shown, and what then brings a page of the session to ask the API. */
export const pageEnds = [
  {
    does: 'a reload',
    end: (app) => app.browser.refresh(),
    comeBack: async () => {},
  },
  {
    does: 'another page',
    end: (app) => visit(app, 'guest.html', 'guest'),
    comeBack: (app) => visit(app, 'index.html', 'main'),
  },
  {
    does: 'a closed window',
    begin: openSecond,
    end: closeSecond,
    // The window that is left is asked to refresh, and so may be signed out by itself.
    comeBack: async (app, { goesOn }) => goesOn && app.click('me-load'),
  },
];

async function visit(app, page, label) {
  await app.browser.execute((address) => {
    location.href = address;
  }, page);
  await app.goTo(label);
}

/** As a page closes its window itself. WebDriver would end the webview and leave the window of Tauri open. */
async function closeSecond(app) {
  const second = await app.browser.getWindowHandle();
  // The window that returns to WebDriver is the one that goes, so what it returns may be lost.
  await Promise.allSettled([
    app.browser.execute(() => {
      window.__TAURI_INTERNALS__.invoke('plugin:window|close', { label: 'second' });
    }),
  ]);
  await until('it is gone', async () => !(await app.browser.getWindowHandles()).includes(second));
  await app.goTo('main');
}

/** Another process of the app seems to refresh at the moment. */
async function waitForTurn(t, app) {
  const lock = lockFile(t, 'refreshes');
  mkdirSync(join(lock, '..'), { recursive: true, mode: 0o700 });
  const holder = await startProcess('flock', [lock, 'sleep', 'infinity'], { env: t.demo.desktop.env });
  await holder.ready('the lock', () => isLocked(lock));
  await t.demo.expireTokens();
  const refused = t.demo.calls('/me', 401).length;
  await app.click('me-load');
  await until('the token was refused', () => t.demo.calls('/me', 401).length > refused);
  return () => holder.stop('SIGKILL');
}

async function hold(t, app, step) {
  const refresh = await beginRefresh(t, app, step);
  return async ({ isLeft }) => {
    if (isLeft) await until('nobody waits for the response', () => refresh.abandoned === 1);
    refresh.release();
  };
}

async function holdStore(t, app) {
  const refresh = await beginRefresh(t, app, 'response');
  t.demo.keyring.pause();
  refresh.release();
  await until('the app writes what the server sent', () => isLocked(lockFile(t)));
  return () => t.demo.keyring.resume();
}

/** The lock of the demo's account for writes, or that for refreshes. */
function lockFile(t, folder = '') {
  const hash = createHash('sha256').update('secure-token account default').digest('hex');
  const data = join(t.demo.desktop.env.HOME, '.local/share/app.secure-token.vue-pinia/secure-token');
  return join(data, folder, `${hash}.lock`);
}

const isLocked = (file) => spawnSync('flock', ['--nonblock', file, 'true']).status === 1;
