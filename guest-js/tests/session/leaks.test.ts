// P4: no token in snapshots, errors, or what a session shows of itself.

import { inspect } from 'node:util';
import { beforeEach, expect, it, vi } from 'vitest';
import { errorCodes } from '../../ipc/errors.js';
import type { Session } from '../../session/session.js';
import { FakeVault, rejection } from '../support/fake-vault.js';
import { freshPage, until } from '../support/helpers.js';
import { keyStore, withStore } from '../support/project.js';

const TOKENS = { token: 'SECRET-token', refreshToken: 'SECRET-refresh' };

let page: Awaited<ReturnType<typeof freshPage>>;
let vault: FakeVault;

beforeEach(async () => {
  page = await freshPage();
  vault = new FakeVault();
});

/** Everything that a log, a crash reporter or a store plugin could show of a value. */
function shown(value: unknown): string {
  const error = value as Partial<Error>;
  return [
    JSON.stringify(value),
    inspect(value, { depth: 9, showHidden: true }),
    String(value),
    error?.message,
    error?.stack,
  ].join('\n');
}

async function everything(session: Session): Promise<string> {
  const seen: unknown[] = [session, session.getSnapshot(), await session.ready()];
  session.subscribe((snapshot) => seen.push(snapshot));
  seen.push(await session.login(TOKENS));
  seen.push(await session.hydrate());
  await session.refresh();
  seen.push(session.getSnapshot());
  seen.push(await session.logout());
  return seen.map(shown).join('\n');
}

it('neither a session nor its snapshots show a token', async () => {
  const session = page.createSession({ refresh: async () => ({ token: 'SECRET-next' }) });
  expect(await everything(session)).not.toContain('SECRET');
});

it.each(keyStore ? errorCodes : [])('not when every call fails with %s', async (code) => {
  const onError = vi.fn();
  const session = page.createSession({ onError, refresh: async () => ({ token: 'SECRET-next' }) });
  await session.ready();
  for (const command of ['set_token', 'get_token', 'clear_token'] as const) {
    vault.fail(command, rejection(code), 99);
  }
  expect(await everything(session)).not.toContain('SECRET');
  await until(() => expect(onError).toHaveBeenCalled());
  expect(onError.mock.calls.flat().map(shown).join('\n')).not.toContain('SECRET');
  session.dispose();
});

withStore('not when Tauri echoes an argument in its text', async () => {
  vault.fail('set_token', 'invalid args `token` for command `set_token`: SECRET-token');
  const error = await page.setToken(TOKENS).catch((error) => error);
  expect(error.code).toBe('invalid-argument');
  expect(shown(error)).not.toContain('SECRET');
});

withStore('nothing is written to the console', async () => {
  const spies = (['log', 'info', 'debug', 'warn', 'error', 'trace', 'dir'] as const).map((method) =>
    vi.spyOn(console, method).mockImplementation(() => {}),
  );
  vault.fail('set_token', rejection('internal'), 3);
  await everything(page.createSession({ refresh: async () => ({ token: 'SECRET-next' }) }));
  for (const spy of spies) expect(spy).not.toHaveBeenCalled();
});

it('the refused redirect and origin errors show no token', async () => {
  const session = page.createSession();
  await session.login(TOKENS);
  const failing = vi.fn(() => Promise.reject(new TypeError('Failed to fetch')));
  const authFetch = page.createAuthFetch(session, { origins: ['https://api.example.com'], fetch: failing });
  const error = await authFetch('https://api.example.com').catch((error) => error);
  expect(shown(error)).not.toContain('SECRET');
});

withStore(
  'a failed refresh ahead of time and a failed revoke show no token, nor does the end of the session',
  async () => {
    const { keepFresh } = await import('../../session/keep-fresh.js');
    const { createOutbox } = await import('../../session/outbox.js');
    const heard = vi.fn();
    const away = () => Promise.reject({ status: 503 });
    const outbox = createOutbox({ revoke: away, onError: heard });
    const session = page.createSession({
      refresh: away,
      revoke: outbox.revoke,
      onError: heard,
      onSignedOut: heard,
    });
    await session.login({ ...TOKENS, expiresIn: 0.001 });
    const end = keepFresh(session, heard);
    await until(() => expect(heard).toHaveBeenCalledTimes(1));
    vault.fail('set_token', rejection('too-large'));
    await session.logout();
    await until(() => expect(heard).toHaveBeenCalledTimes(4));
    vault.records.set('revoke-outbox/default', { token: 'SECRET-damaged' });
    await expect(outbox.revoke(TOKENS)).rejects.toEqual({ status: 503 });
    end();
    outbox.dispose();
    const codes = heard.mock.calls.map(([value]) => value.code ?? value.status ?? value);
    expect(codes).toEqual([503, 'logout', 'too-large', 503, 'corrupt']);
    expect([...heard.mock.calls.flat(), outbox, session].map(shown).join('\n')).not.toContain('SECRET');
  },
);
