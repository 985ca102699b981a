// What Svelte components read of a session: a store and a state for runes in one.

import { createSubscriber } from 'svelte/reactivity';
import type { Session, Snapshot } from '../session/session.js';

/** See {@link useSession}. */
export interface SessionState {
  /** What may be shown of the session. An effect, a `$derived` or a template that reads it follows it. */
  readonly current: Snapshot;
  /** The store contract of Svelte: calls `run` now and after each change. Returns the function that ends it. */
  subscribe(run: (snapshot: Snapshot) => void): () => void;
}

/**
 * Makes what components read of a session: `session.current` with runes, or `$session` as a store. It may be made anywhere,
 * also once for all components, and listens only while somebody reads it.
 *
 * No token is in it. Call `session.login` and `session.getToken` of the session itself.
 */
export function useSession(session: Pick<Session, 'getSnapshot' | 'listen' | 'subscribe'>): SessionState {
  const follow = createSubscriber(session.listen);
  return {
    get current() {
      follow();
      return session.getSnapshot();
    },
    subscribe: session.subscribe,
  };
}
