// A React hook that shows a session.

import { useSyncExternalStore } from 'react';
import type { Session, Snapshot } from '../session/session.js';

/**
 * Returns what may be shown of a session, and renders again when it changes.
 *
 * No token is in it: devtools show the state of hooks. Call `session.login` and `session.getToken` of the session itself.
 */
export function useSession(session: Pick<Session, 'getSnapshot' | 'listen'>): Snapshot {
  return useSyncExternalStore(session.listen, session.getSnapshot, session.getSnapshot);
}
