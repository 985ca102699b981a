// A Pinia store that shows a session.

import { defineStore } from 'pinia';
import { computed } from 'vue';
import type { Session } from '../session/session.js';
import { useSession } from './vue.js';

/**
 * Defines a store with what may be shown of a session: `status`, `isSignedIn`, `login`, `expiresAt`, `canRefresh`, `persisted`
 * and `error`, all read-only, and the action `logout`.
 *
 * No token is in it, and no action takes or returns one: state, arguments and results of a store reach plugins and
 * devtools. Call `session.login` and `session.getToken` of the session itself.
 *
 * @param id The id of the store.
 */
export function defineSessionStore(
  session: Pick<Session, 'getSnapshot' | 'listen' | 'logout'>,
  id = 'session',
) {
  return defineStore(id, () => {
    const snapshot = useSession(session);
    return {
      status: computed(() => snapshot.value.status),
      isSignedIn: computed(() => snapshot.value.status === 'signedIn'),
      login: computed(() => snapshot.value.login),
      expiresAt: computed(() => snapshot.value.expiresAt),
      canRefresh: computed(() => snapshot.value.canRefresh),
      persisted: computed(() => snapshot.value.persisted),
      error: computed(() => snapshot.value.error),
      /** See {@link Session.logout}. */
      logout: () => session.logout(),
    };
  });
}
