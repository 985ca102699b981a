// Refreshes a token before it expires, so that no request has to wait for it. Only a help: requests decide on their own.

import { createAlarm } from '../shared/alarm.js';
import { call } from '../shared/emit.js';
import type { Session } from './session.js';

/** A token is refreshed at most this long before its end, in milliseconds. */
const LONGEST_MARGIN = 60_000;

/** For how long a token that was just refreshed is left alone: a clock that is wrong must not make a loop. */
const MINIMUM_USE = 10_000;

/** How the page comes back: to a person, from the background or from sleep. */
const RETURNS = ['focus', 'visibilitychange', 'pageshow'];

/**
 * Keeps the token of `session` fresh while this window has the focus.
 *
 * A token is refreshed 30 to 60 seconds before its end, at random so that many clients do not line up, or for the last
 * eighth to quarter of a life under four minutes. When the window gets the focus, or the machine wakes, a token that is
 * near or past its end is refreshed too. Windows without the focus rest.
 *
 * A failure keeps the session. It is tried again while the token lives, when {@link Session.retryAt} says, and once the
 * network is back. After that the next request refreshes.
 *
 * @param onError Hears each failure: what `SessionOptions.refresh` rejected with, as it is.
 * @returns A function that ends it.
 */
export function keepFresh(session: Session, onError?: (error: Error) => void): () => void {
  let expiresAt: number | undefined;
  /** From when on the token is to be refreshed. */
  let due: number | undefined;
  let earliest = 0;
  let isBusy = false;

  const isDue = () => due !== undefined && Date.now() >= due;

  /** After a failure: sets the alarm for the next try, if the token still lives then. */
  function tryAgain() {
    const at = session.retryAt();
    if (at !== undefined && expiresAt !== undefined && at < expiresAt) alarm(at);
  }

  async function refresh(rejected?: string) {
    if (isBusy || !(globalThis.document?.hasFocus() ?? true)) return;
    isBusy = true;
    earliest = Date.now() + MINIMUM_USE;
    try {
      await session.refresh(rejected, { accepted: true });
    } catch (error) {
      tryAgain();
      call(onError, error as Error);
    } finally {
      isBusy = false;
    }
  }

  const look = () => {
    if (!isDue()) return;
    if (session.retryAt() === undefined) void refresh(session.getToken());
    else tryAgain();
  };

  // Without the rejected token, so also while refreshing rests: without a network no server was asked.
  const lookOnline = () => {
    if (isDue()) void refresh();
  };

  const alarm = createAlarm(look);

  const end = session.subscribe((snapshot) => {
    if (snapshot.expiresAt === expiresAt) return;
    expiresAt = snapshot.expiresAt;
    due = undefined;
    if (expiresAt !== undefined) {
      const margin = Math.min((expiresAt - Date.now()) / 4, LONGEST_MARGIN) * (1 - Math.random() / 2);
      due = Math.max(expiresAt - margin, earliest);
    }
    alarm(due);
  });

  for (const name of RETURNS) globalThis.addEventListener?.(name, look);
  globalThis.addEventListener?.('online', lookOnline);

  return () => {
    end();
    expiresAt = due = undefined;
    alarm();
    for (const name of RETURNS) globalThis.removeEventListener?.(name, look);
    globalThis.removeEventListener?.('online', lookOnline);
  };
}
