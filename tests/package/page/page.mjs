// What the scripts of this folder run in: a page without Tauri, where a session lives in memory.
import assert from 'node:assert/strict';
import { Window } from 'happy-dom';

const window = new Window({ url: 'http://localhost/' });
for (const name of Object.getOwnPropertyNames(window)) {
  if (!(name in globalThis)) globalThis[name] = window[name];
}
Object.assign(globalThis, { window: globalThis, document: window.document });

// The package says once that there is no Tauri.
console.warn = () => {};

/** Waits until the page shows `text`. */
export async function shows(view, text) {
  for (let turn = 0; turn < 1000 && view.textContent !== text; turn++) {
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  assert.equal(view.textContent, text);
}

/** What every binding that shows a session has to do. `render` makes the page follow it, and returns the function that ends that. */
export async function followsSession(render) {
  const { createSession } = await import('tauri-plugin-secure-token-api');
  const session = createSession();
  const view = document.createElement('div');
  document.body.append(view);
  let listeners = 0;
  const counting = (start) => (fn) => {
    const end = start(fn);
    listeners++;
    return () => {
      listeners--;
      end();
    };
  };
  const end = await render(
    { ...session, listen: counting(session.listen), subscribe: counting(session.subscribe) },
    view,
  );
  await shows(view, 'signedOut');
  await session.login({ token: 'first' });
  await shows(view, 'signedIn');
  assert.equal(listeners, 1);
  await session.logout();
  await shows(view, 'signedOut');
  await end();
  for (let turn = 0; turn < 1000 && listeners > 0; turn++)
    await new Promise((resolve) => setTimeout(resolve, 1));
  assert.equal(listeners, 0);
  session.dispose();
}
