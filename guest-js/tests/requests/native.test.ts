// The session of a page that gets no token, with a stand-in for the commands of Rust and real servers.

import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { NativeSession, NativeSessionOptions } from '../../requests/native.js';
import { FakeVault, rejection } from '../support/fake-vault.js';
import { settle, until } from '../support/helpers.js';
import { NativeSide } from '../support/native-side.js';
import { serve, serveApi } from '../support/servers.js';

let vault: FakeVault;
let createNativeSession: (options?: NativeSessionOptions) => NativeSession;

beforeEach(async () => {
  vi.resetModules();
  ({ createNativeSession } = await import('../../requests/native.js'));
  vault = new FakeVault({ default: { token: 'SECRET-1', refreshToken: 'SECRET-r1' } });
});

/** A server with a login that knows one password, and nothing else. */
const loginServer = () =>
  serve(({ body }, response) => {
    const { password } = JSON.parse(body);
    const isRight = password === 'right';
    response.writeHead(isRight ? 200 : 401, { 'content-type': 'application/json' });
    const tokens = { token: 'SECRET-2', refreshToken: 'SECRET-r2' };
    response.end(JSON.stringify(isRight ? { ...tokens, user: 'ada' } : { message: 'wrong password' }));
  });

describe('P5 a page that gets no token', () => {
  it('shows the session and sends requests without asking for one', async () => {
    const api = await serveApi('SECRET-1');
    const side = new NativeSide(vault, { origins: [api.origin] });
    const session = createNativeSession();
    expect(await session.ready()).toMatchObject({ status: 'signedIn', persisted: true });
    // Each of these would make createSession ask for the token.
    vault.change({ token: 'SECRET-2' });
    vault.change({ token: 'SECRET-1' });
    await session.hydrate();
    await settle();
    expect(vault.sessionCalls.map(({ command }) => command)).toEqual(['session_open', 'session_hydrate']);
    const response = await session.fetch(`${api.origin}/me`);
    expect(await response.text()).toBe('hello');
    expect(api.received).toMatchObject([{ authorization: 'Bearer SECRET-1', path: '/me' }]);
    expect(side.count('native_fetch')).toBe(1);
  });

  it('has none in its snapshots', async () => {
    const server = await loginServer();
    new NativeSide(vault, { origins: [], signIn: server.origin });
    const session = createNativeSession();
    const seen: unknown[] = [];
    session.subscribe((snapshot) => seen.push(snapshot));
    const result = await session.login({ password: 'right' });
    await session.logout();
    expect(seen.length).toBeGreaterThan(2);
    expect(JSON.stringify([seen, result])).not.toContain('SECRET');
  });
});

describe('login', () => {
  it('signs in, and gives what the server said besides', async () => {
    const server = await loginServer();
    new NativeSide(vault, { origins: [], signIn: server.origin });
    const session = createNativeSession();
    await session.logout();
    expect(session.getSnapshot().status).toBe('signedOut');
    const result = await session.login({ user: 'ada', password: 'right' });
    expect(result).toEqual({ ok: true, status: 200, body: { user: 'ada' } });
    // The snapshot is there when it resolves.
    expect(session.getSnapshot()).toMatchObject({ status: 'signedIn', persisted: true });
    expect(server.received).toMatchObject([{ body: '{"user":"ada","password":"right"}' }]);
  });

  it('over a login is another one', async () => {
    const server = await loginServer();
    new NativeSide(vault, { origins: [], signIn: server.origin });
    const session = createNativeSession();
    const { login } = await session.ready();
    await session.login({ password: 'right' });
    expect(session.getSnapshot().login).toBeGreaterThan(login);
  });

  it('that is refused resolves, and leaves the session as it is', async () => {
    const server = await loginServer();
    new NativeSide(vault, { origins: [], signIn: server.origin });
    const session = createNativeSession();
    const before = await session.ready();
    const result = await session.login({ password: 'wrong' });
    expect(result).toEqual({ ok: false, status: 401, body: { message: 'wrong password' } });
    expect(session.getSnapshot()).toBe(before);
  });

  it('without a server rejects with its code', async () => {
    const side = new NativeSide(vault, { origins: [] });
    side.faults.push({ command: 'native_sign_in', cause: rejection('timeout', 'the login took too long') });
    const session = createNativeSession();
    await expect(session.login({})).rejects.toMatchObject({
      name: 'SecureTokenError',
      code: 'timeout',
      retryable: true,
    });
  });

  it('is not sent with an aborted signal, and not waited for with one that aborts', async () => {
    const server = await serve(() => {});
    const side = new NativeSide(vault, { origins: [], signIn: server.origin });
    const session = createNativeSession();
    const reason = new Error('left the form');
    await expect(session.login({}, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(side.count('native_sign_in')).toBe(0);
    const stop = new AbortController();
    const signingIn = session.login({}, { signal: stop.signal }).catch((error: unknown) => error);
    await until(() => expect(server.received).toHaveLength(1));
    stop.abort(reason);
    expect(await signingIn).toBe(reason);
  });

  it('`remember: false` reaches Rust', async () => {
    const server = await loginServer();
    const side = new NativeSide(vault, { origins: [], signIn: server.origin });
    const session = createNativeSession({ account: 'default' });
    await session.login({ password: 'right' }, { remember: false });
    expect(side.calls[0]?.head).toMatchObject({ account: 'default', remember: false });
  });

  it('of a disposed session is refused', async () => {
    const side = new NativeSide(vault, { origins: [] });
    const session = createNativeSession();
    session.dispose();
    await expect(session.login({})).rejects.toMatchObject({ code: 'invalid-argument' });
    expect(side.calls).toEqual([]);
  });
});

describe('P9 a request belongs to the login under which it is made', () => {
  it('carries the number that the owner has given to it', async () => {
    const api = await serveApi('SECRET-1');
    const side = new NativeSide(vault, { origins: [api.origin] });
    await createNativeSession().fetch(api.origin);
    expect(side.calls[0]?.head.login).toBe(vault.owner().result().login);
  });

  it('made before a logout of the page goes out without a token', async () => {
    const api = await serveApi('SECRET-1');
    new NativeSide(vault, { origins: [api.origin] });
    const session = createNativeSession();
    await session.ready();
    const open = vault.hold('session_sign_out', 'before');
    void session.logout();
    const sending = session.fetch(api.origin);
    await settle();
    expect(api.received).toEqual([]);
    open();
    expect((await sending).status).toBe(401);
    expect(api.received).toMatchObject([{ authorization: undefined }]);
  });

  it('is not sent as somebody else who has signed in while it waited for its turn', async () => {
    const ends: (() => void)[] = [];
    const api = await serve((_, response) => void ends.push(() => response.end()));
    new NativeSide(vault, { origins: [api.origin] });
    const session = createNativeSession();
    const running = Array.from({ length: 32 }, () => session.fetch(api.origin));
    await until(() => expect(api.received).toHaveLength(32));
    const waiting = session.fetch(`${api.origin}/as-the-first`).catch((error: unknown) => error);
    const { login } = session.getSnapshot();
    vault.change({ token: 'SECRET-theirs' });
    await until(() => expect(session.getSnapshot().login).toBeGreaterThan(login));
    for (const end of ends) end();
    await Promise.all(running.map(async (sending) => (await sending).text()));
    expect(await waiting).toMatchObject({ name: 'AbortError', code: 'conflict' });
    expect(api.received.filter(({ path }) => path === '/as-the-first')).toEqual([]);
    // The next one is theirs.
    const next = session.fetch(api.origin);
    await until(() => expect(api.received).toHaveLength(33));
    expect(api.received[32]?.authorization).toBe('Bearer SECRET-theirs');
    ends[32]?.();
    await next;
  });

  it('rejects with an AbortError and the code `conflict` when Rust knows of another login', async () => {
    const side = new NativeSide(vault, { origins: ['https://api.example.com'] });
    side.faults.push({ command: 'native_fetch', cause: rejection('conflict', 'the login has changed') });
    const session = createNativeSession();
    await expect(session.fetch('https://api.example.com/me')).rejects.toMatchObject({
      name: 'AbortError',
      code: 'conflict',
    });
  });
});

describe('P6 a page that comes back from the back-forward cache', () => {
  it('gives up what it waited for: its responses are lost', async () => {
    const listeners = new Map<string, (event: object) => void>();
    vi.stubGlobal('addEventListener', (name: string, listener: () => void) => listeners.set(name, listener));
    onTestFinished(() => void vi.unstubAllGlobals());
    const api = await serve(({ path }, response) => {
      if (path === '/body') response.write('the beginning');
      else if (path === '/after') response.end('hello');
    });
    const side = new NativeSide(vault, { origins: [api.origin] });
    const session = createNativeSession();
    const waiting = session.fetch(api.origin).catch((error: unknown) => error);
    const reader = (await session.fetch(`${api.origin}/body`)).body?.getReader();
    await reader?.read();
    const reading = reader?.read().catch((error: unknown) => error);
    await until(() => expect(side.calls.at(-1)?.command).toBe('native_read'));
    listeners.get('pagehide')?.({});
    listeners.get('pageshow')?.({ persisted: true });
    for (const error of [await waiting, await reading]) {
      expect(error).toBeInstanceOf(TypeError);
      expect(error).toMatchObject({ cause: { code: 'unavailable' } });
    }
    expect(await (await session.fetch(`${api.origin}/after`)).text()).toBe('hello');
  });
});

describe('url', () => {
  it('is asked of Rust for the resolved address', async () => {
    const side = new NativeSide(vault, { origins: [] });
    const session = createNativeSession();
    const address = await session.url(new URL('https://api.example.com/a/../avatar.png'));
    expect(address).toMatch(/^secure-token:\/\/localhost\//);
    expect(side.calls[0]?.head).toMatchObject({
      account: 'default',
      url: 'https://api.example.com/avatar.png',
    });
  });

  it('rejects what is not an address, and with the code of Rust', async () => {
    const side = new NativeSide(vault, { origins: [] });
    const session = createNativeSession();
    await expect(session.url('https://user:SECRET@api.example.com')).rejects.toThrow(TypeError);
    vi.spyOn(console, 'warn').mockImplementation(() => {});
    side.faults.push({ command: 'native_media', cause: rejection('forbidden') });
    await expect(session.url('https://api.example.com')).rejects.toMatchObject({ code: 'forbidden' });
  });
});

describe('the session', () => {
  it('is one view for several in one page, with one channel', async () => {
    new NativeSide(vault, { origins: [] });
    const [one, two] = [createNativeSession(), createNativeSession()];
    await Promise.all([one.ready(), two.ready()]);
    expect(one.getSnapshot()).toBe(two.getSnapshot());
    expect(vault.countSession('session_open')).toBe(1);
  });

  it('says why it has ended', async () => {
    new NativeSide(vault, { origins: [] });
    const onSignedOut = vi.fn();
    const session = createNativeSession({ onSignedOut });
    await session.ready();
    await session.logout();
    expect(onSignedOut.mock.calls).toEqual([['logout']]);
  });

  it('follows what other windows do', async () => {
    new NativeSide(vault, { origins: [] });
    const session = createNativeSession();
    const { login } = await session.ready();
    vault.change({ token: 'SECRET-theirs', expiresAt: 9_000_000_000_000 });
    await until(() => expect(session.getSnapshot()).toMatchObject({ expiresAt: 9_000_000_000_000 }));
    expect(session.getSnapshot().login).toBeGreaterThan(login);
    vault.change(undefined);
    await until(() => expect(session.getSnapshot().status).toBe('signedOut'));
  });

  it('that cannot be read hands its error on, and nothing is sent', async () => {
    vault.fail('get_token', rejection('locked'));
    const api = await serveApi('SECRET-1');
    const side = new NativeSide(vault, { origins: [api.origin] });
    const session = createNativeSession();
    await expect(session.fetch(api.origin)).rejects.toMatchObject({
      name: 'SecureTokenError',
      code: 'locked',
    });
    expect(side.count('native_fetch')).toBe(0);
    vault.recover();
    await session.hydrate();
    expect((await session.fetch(api.origin)).status).toBe(200);
  });

  it.each(['', 'a\nb'])('refuses the account %j', (account) => {
    expect(() => createNativeSession({ account })).toThrow(
      expect.objectContaining({ code: 'invalid-argument' }),
    );
  });

  it('sends nothing once disposed', async () => {
    const api = await serveApi('SECRET-1');
    const side = new NativeSide(vault, { origins: [api.origin] });
    const session = createNativeSession();
    await session.ready();
    session.dispose();
    const error = await session.fetch(api.origin).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(TypeError);
    expect(error).toMatchObject({ cause: { code: 'invalid-argument' } });
    expect(side.count('native_fetch')).toBe(0);
  });
});
