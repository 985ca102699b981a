// An Angular signal that shows a session.

import type { Signal } from '@angular/core';
import { toSignal } from '@angular/core/rxjs-interop';
import { Observable } from 'rxjs';
import type { Session, Snapshot } from '../session/session.js';

/**
 * Returns a signal of what may be shown of a session, until the component or service it is called in is destroyed. Call it
 * in an injection context, such as the initialiser of a field.
 *
 * No token is in it: devtools show signals. Call `session.login` and `session.getToken` of the session itself.
 */
export function injectSession(session: Pick<Session, 'subscribe'>): Signal<Snapshot> {
  return toSignal(new Observable<Snapshot>((observer) => session.subscribe((next) => observer.next(next))), {
    requireSync: true,
  });
}
