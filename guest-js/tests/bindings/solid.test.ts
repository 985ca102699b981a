// @vitest-environment happy-dom
// The Solid binding, in components that the real Solid renders.

import { DEV } from 'solid-js';
import { insert, render } from 'solid-js/web';
import { useSession } from '../../bindings/solid.js';
import { followsSession, label } from './contract.js';

/** Every signal that Solid tells its devtools of. */
const signals: unknown[] = [];
if (DEV) DEV.hooks.afterCreateSignal = (signal) => signals.push(signal);

followsSession((session) => {
  const root = document.createElement('div');
  const unmount = render(() => {
    const snapshot = useSession(session);
    const element = document.createElement('p');
    insert(element, () => label(snapshot()));
    return element;
  }, root);
  return { text: () => root.textContent, unmount, exposed: () => signals };
});
