// A Solid primitive that shows a session.

import { from } from 'solid-js';
import type { Session, Snapshot } from '../session/session.js';

/**
 * Returns an accessor of what may be shown of a session, until the owner it is called in is disposed of.
 *
 * No token is in it: devtools show signals. Call `session.login` and `session.getToken` of the session itself.
 */
export function useSession(session: Pick<Session, 'getSnapshot' | 'subscribe'>): () => Snapshot {
  return from(session, session.getSnapshot());
}
