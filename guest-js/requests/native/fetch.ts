// The fetch of a native session: waits for the session and for its turn, then lets Rust send.

import { SecureTokenError } from '../../ipc/errors.js';
import type { View } from '../../session/view.js';
import { loginChanged, orAbort, throwIfAborted } from '../abort.js';
import type { AuthFetch } from '../fetch.js';
import { Exchange } from './exchange.js';
import { failure } from './failure.js';
import { take } from './take.js';
import { type EndTurn, Turns } from './turns.js';

/** Half of what Rust takes of one page, so that a page with several copies of this package does not fail. */
const AT_ONCE = 32;

const turns = new Turns(AT_ONCE);

const disposed = () =>
  failure(new SecureTokenError('invalid-argument', 'this session was disposed: make a new one'));

/** What the fetch asks of its session. */
export interface NativeFetchOptions {
  account: string;
  view: View;
  ready(): Promise<unknown>;
  isDisposed(): boolean;
}

export function createNativeFetch({ account, view, ready, isDisposed }: NativeFetchOptions): AuthFetch {
  /** Resolves when this page and the owner know of the same login. */
  async function sync(login: number): Promise<void> {
    await ready();
    await view.settle();
    if (isDisposed()) throw disposed();
    const { status, error, login: now } = view.snapshot;
    // An API that is asked without the token says 401, which would look like a sign-out.
    if (status === 'unavailable' && error) throw error;
    if (now !== login && status !== 'signedOut') throw loginChanged();
  }

  return async (input, init) => {
    const { login } = view.snapshot;
    const { upload, cancel, signal, repeat, ...request } = take(input, init);
    const wait = <T>(work: Promise<T>) => orAbort(work, signal);
    let endTurn: EndTurn | undefined;
    try {
      throwIfAborted(signal);
      if (isDisposed()) throw disposed();
      const body = await wait(upload);
      // Not raced against the signal, which must not lose a turn that is just being given.
      endTurn = await turns.take(signal);
      await wait(sync(login));
      const exchange = new Exchange((work) => view.ask(work), signal, endTurn);
      const head = { ...request, account, login: view.ownerLogin, ...(!repeat && { repeat }) };
      return await exchange.send(head, body);
    } catch (error) {
      endTurn?.();
      cancel(error);
      throw error;
    }
  };
}
