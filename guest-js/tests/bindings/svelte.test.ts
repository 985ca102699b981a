// @vitest-environment happy-dom
// The Svelte binding, in components that the real Svelte compiles and renders.

import { type Component, flushSync, mount, unmount } from 'svelte';
import { describe } from 'vitest';
import { type SessionState, useSession } from '../../bindings/svelte.js';
import { followsSession, label } from './contract.js';
import Runes from './Runes.svelte';
import Store from './Store.svelte';

type View = Component<{ session: SessionState; label: typeof label }>;

const views: [string, View][] = [
  ['with runes', Runes],
  ['as a store', Store],
];

describe.each(views)('%s', (_name, View) => {
  followsSession((observed) => {
    const root = document.createElement('div');
    const session = useSession(observed);
    const component = mount(View, { target: root, props: { session, label } });
    flushSync();
    return {
      text: () => root.textContent,
      unmount: () => void unmount(component),
      exposed: () => [session, session.current],
    };
  });
});
