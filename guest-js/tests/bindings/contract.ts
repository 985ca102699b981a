// What every binding that shows a session promises: the same tests for each framework, with a component of its own.

import { inspect } from 'node:util';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Session, SessionOptions, Snapshot } from '../../session/session.js';
import { FakeVault } from '../support/fake-vault.js';
import { freshPage, until } from '../support/helpers.js';
import { withStore } from '../support/project.js';

/** A component on the page that renders {@link label} of a session. */
export interface View {
  text(): string | null | undefined;
  unmount(): void;
  /** What devtools and plugins are shown of it, else what the component holds. */
  exposed(): unknown;
}

type Shown = Pick<Snapshot, 'status' | 'expiresAt' | 'login' | 'canRefresh'>;

/** What the components of the tests render. */
export const label = ({ status, expiresAt, login, canRefresh }: Shown) =>
  `${status}, expires: ${expiresAt ?? 'never'}; login ${login}${canRefresh ? ', can refresh' : ''}`;

const LATER = 9_000_000_000_000;

export const TOKENS = { token: 'SECRET-token', refreshToken: 'SECRET-refresh' };

/** A session that knows how many listeners it has. */
function countListeners(session: Session): { session: Session; listeners(): number } {
  const living = new Set<symbol>();
  const counting = (start: Session['listen']): Session['listen'] => {
    return (fn) => {
      const id = Symbol();
      const end = start(fn);
      living.add(id);
      return () => {
        end();
        living.delete(id);
      };
    };
  };
  return {
    session: { ...session, listen: counting(session.listen), subscribe: counting(session.subscribe) },
    listeners: () => living.size,
  };
}

export function followsSession(mount: (session: Session) => View | Promise<View>): void {
  let createSession: typeof import('../../session/session.js').createSession;
  let vault: FakeVault;

  beforeEach(async () => {
    ({ createSession } = await freshPage());
    vault = new FakeVault();
    // Only a page with the focus refreshes by itself.
    vi.spyOn(document, 'hasFocus').mockReturnValue(true);
  });

  async function open(options?: SessionOptions) {
    const { session, listeners } = countListeners(createSession(options));
    onTestFinished(session.dispose);
    const view = await mount(session);
    const shows = (text: string) => until(() => expect(view.text()).toMatch(new RegExp(`^${text};`)));
    const showsAll = () => until(() => expect(view.text()).toBe(label(session.getSnapshot())));
    return { session, listeners, view, shows, showsAll };
  }

  describe('a component', () => {
    withStore('shows the session while it hydrates, then what was stored', async () => {
      vault.records.set('default', { ...TOKENS, expiresAt: LATER });
      const answer = vault.hold('get_token');
      const { view, shows } = await open();
      await shows('hydrating, expires: never');
      answer();
      await shows(`signedIn, expires: ${LATER}`);
      view.unmount();
    });

    it('shows a login and a logout', async () => {
      const { session, view, shows } = await open();
      await shows('signedOut, expires: never');
      await session.login(TOKENS);
      await shows('signedIn, expires: never');
      await session.logout();
      await shows('signedOut, expires: never');
      view.unmount();
    });

    it('A2 shows a login over a login with the same expiry', async () => {
      const { session, view, shows, showsAll } = await open();
      await session.login({ ...TOKENS, expiresAt: LATER });
      await shows(`signedIn, expires: ${LATER}`);
      await showsAll();
      const before = view.text();
      await session.login({ token: 'SECRET-theirs', expiresAt: LATER });
      await until(() => expect(view.text()).not.toBe(before));
      await shows(`signedIn, expires: ${LATER}`);
      await showsAll();
      view.unmount();
    });

    withStore('A2 shows that of another window', async () => {
      const { session, view, shows, showsAll } = await open();
      await session.login(TOKENS);
      await shows('signedIn, expires: never');
      const { login } = session.getSnapshot();
      vault.change({ token: 'SECRET-theirs' });
      await until(() => expect(session.getSnapshot().login).toBeGreaterThan(login));
      await showsAll();
      view.unmount();
    });

    it('shows whether the session can be refreshed, and one login through a refresh', async () => {
      const { session, view, shows, showsAll } = await open({
        refresh: async () => ({ token: 'SECRET-next', expiresAt: LATER }),
      });
      await session.login(TOKENS);
      await until(() => expect(view.text()).toContain('can refresh'));
      const { login } = session.getSnapshot();
      await session.refresh();
      await shows(`signedIn, expires: ${LATER}`);
      await showsAll();
      expect(session.getSnapshot().login).toBe(login);
      await session.login({ token: 'SECRET-alone' });
      await until(() => expect(view.text()).not.toContain('can refresh'));
      view.unmount();
    });

    it('shows what comes of an expiry: the next token, then the end of the session', async () => {
      vi.useFakeTimers({ now: 1_000_000 });
      const refresh = vi
        .fn<NonNullable<SessionOptions['refresh']>>()
        .mockResolvedValueOnce({ token: 'SECRET-next', expiresIn: 100 })
        .mockRejectedValueOnce({ status: 401 });
      const { session, view, shows } = await open({ refresh });
      await session.login({ ...TOKENS, expiresIn: 10 });
      await shows('signedIn, expires: 1010000');
      await vi.advanceTimersByTimeAsync(11_000);
      expect(await session.freshToken()).toBe('SECRET-next');
      await shows(`signedIn, expires: ${session.getSnapshot().expiresAt}`);
      await vi.advanceTimersByTimeAsync(100_000);
      await session.freshToken();
      await shows('signedOut, expires: never');
      view.unmount();
    });

    withStore('shows what another window changes', async () => {
      const { view, shows } = await open();
      await shows('signedOut, expires: never');
      vault.change({ token: 'SECRET-theirs', expiresAt: LATER });
      await shows(`signedIn, expires: ${LATER}`);
      vault.change(undefined);
      await shows('signedOut, expires: never');
      view.unmount();
    });

    it('leaves no listener behind when it is unmounted', async () => {
      const { listeners, view, shows } = await open();
      await shows('signedOut, expires: never');
      expect(listeners()).toBe(1);
      view.unmount();
      await until(() => expect(listeners()).toBe(0));
    });
  });

  it('P4 devtools and plugins are shown no token', async () => {
    const { session, view, shows } = await open({
      refresh: async () => ({ token: 'SECRET-next', expiresAt: LATER }),
    });
    const exposed: string[] = [];
    // Devtools hear of a change a moment after it is on the page.
    const look = (shown: string) =>
      until(() => {
        const seen = inspect(view.exposed(), { depth: 9, showHidden: true, maxArrayLength: null });
        expect(seen).toContain(shown);
        exposed.push(seen);
      });
    await session.login(TOKENS);
    await shows('signedIn, expires: never');
    await look('signedIn');
    await session.refresh();
    await shows(`signedIn, expires: ${LATER}`);
    await look(String(LATER));
    await session.logout();
    await shows('signedOut, expires: never');
    await look('signedOut');
    expect(exposed.join()).not.toContain('SECRET');
    view.unmount();
  });
}
