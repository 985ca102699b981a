// @vitest-environment happy-dom
// The React binding, in components that the real react-dom renders.

import { createElement, StrictMode } from 'react';
import { flushSync } from 'react-dom';
import { createRoot } from 'react-dom/client';
import { vi } from 'vitest';
import { useSession } from '../../bindings/react.js';
import type { Session } from '../../session/session.js';
import { followsSession, label } from './contract.js';

/** A node of React's tree, as its devtools read it. */
interface Fiber {
  type: unknown;
  memoizedProps: unknown;
  memoizedState: unknown;
  child: Fiber | null;
  sibling: Fiber | null;
}

const { commits } = vi.hoisted(() => {
  const commits: { current: Fiber }[] = [];
  // React looks for this when it is loaded.
  Object.assign(globalThis, {
    __REACT_DEVTOOLS_GLOBAL_HOOK__: {
      supportsFiber: true,
      inject: () => 1,
      checkDCE() {},
      onCommitFiberUnmount() {},
      onCommitFiberRoot(_id: number, root: { current: Fiber }) {
        commits.push(root);
      },
    },
  });
  return { commits };
});

/** The properties and hooks of the components. */
function* shown(first: Fiber | null | undefined): Generator<unknown> {
  for (let fiber = first; fiber; fiber = fiber.sibling) {
    if (typeof fiber.type === 'function') yield [fiber.memoizedProps, fiber.memoizedState];
    yield* shown(fiber.child);
  }
}

function View({ session }: { session: Session }) {
  return createElement('p', undefined, label(useSession(session)));
}

followsSession((session) => {
  const root = document.createElement('div');
  const react = createRoot(root);
  const view = createElement(StrictMode, undefined, createElement(View, { session }));
  flushSync(() => react.render(view));
  return {
    text: () => root.textContent,
    unmount: () => react.unmount(),
    exposed: () => [...shown(commits.at(-1)?.current)],
  };
});
