// A Vue composable that shows a session.

import { onScopeDispose, type ShallowRef, shallowReadonly, shallowRef } from 'vue';
import type { Session, Snapshot } from '../session/session.js';

/**
 * Returns what may be shown of a session, as a read-only ref, until the component or effect scope it is called in ends.
 *
 * No token is in it: devtools show refs. Call `session.login` and `session.getToken` of the session itself.
 */
export function useSession(session: Pick<Session, 'getSnapshot' | 'listen'>): Readonly<ShallowRef<Snapshot>> {
  const snapshot = shallowRef(session.getSnapshot());
  onScopeDispose(
    session.listen((next) => {
      snapshot.value = next;
    }),
  );
  return shallowReadonly(snapshot);
}
