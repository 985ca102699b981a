// oidc-client-ts over the storage, against a real OpenID provider.

import { UserManager, type UserManagerSettings, WebStorageStateStore } from 'oidc-client-ts';
import { beforeEach, describe, expect, it } from 'vitest';
import type { SecureStorage } from '../../storage/storage.js';
import { FakeVault, rejection } from '../support/fake-vault.js';
import { CLIENT_ID, type OpenId, REDIRECT_URI, serveOpenId } from './openid.js';
import { freshStorage } from './page.js';

let vault: FakeVault;
let storage: SecureStorage;
let server: OpenId;

beforeEach(async () => {
  vault = new FakeVault();
  storage = (await freshStorage()).createSecureStorage({ namespace: 'oidc' });
  server = await serveOpenId();
});

/** A manager as the app makes it at its start. The system browser takes the place of a popup. */
function start(settings: Partial<UserManagerSettings> = {}): UserManager {
  const store = new WebStorageStateStore({ store: storage });
  const browser = {
    prepare: async () => ({
      navigate: async ({ url }: { url: string }) => ({ url: await server.visit(url) }),
      close() {},
    }),
    callback: async () => {},
  };
  return new UserManager(
    {
      authority: server.issuer,
      client_id: CLIENT_ID,
      redirect_uri: REDIRECT_URI,
      scope: 'openid offline_access',
      prompt: 'consent',
      automaticSilentRenew: false,
      userStore: store,
      stateStore: store,
      // How that provider labels its empty answer.
      revokeTokenAdditionalContentTypes: ['text/plain'],
      ...settings,
    },
    undefined,
    browser,
  );
}

async function signIn() {
  const manager = start();
  const user = await manager.signinPopup();
  return { manager, user };
}

const userKey = () => `oidc.user:${server.issuer}:${CLIENT_ID}`;

it('code with PKCE: the user is stored, the state of the request is gone, the next start is signed in', async () => {
  const { user } = await signIn();
  expect(user.profile.sub).toBe('ada');
  expect(server.grants).toEqual(['authorization_code']);
  expect(await storage.getKeys()).toEqual([userKey()]);
  const next = await start().getUser();
  expect(next?.access_token).toBe(user.access_token);
  expect(next?.refresh_token).toBe(user.refresh_token);
  expect(user.refresh_token).toBeTruthy();
});

it('silent renew uses the refresh token, and the next one is stored', async () => {
  const { manager, user } = await signIn();
  const renewed = await manager.signinSilent();
  expect(server.grants).toEqual(['authorization_code', 'refresh_token']);
  expect(renewed?.access_token).not.toBe(user.access_token);
  const next = await start().getUser();
  expect(next?.access_token).toBe(renewed?.access_token);
  expect(next?.refresh_token).toBe(renewed?.refresh_token);
  expect(next?.refresh_token).not.toBe(user.refresh_token);
});

it('a login that cannot be stored rejects', async () => {
  vault.fail('set_token', rejection('locked'));
  await expect(signIn()).rejects.toMatchObject({ name: 'SecureTokenError', code: 'locked' });
});

it('clearStaleState reads only the keys of this storage', async () => {
  vault.change({ token: 'not ours' });
  const { manager } = await signIn();
  await manager.clearStaleState();
  expect(await storage.getKeys()).toEqual([userKey()]);
});

describe('sign-out', () => {
  const signOut = async (manager: UserManager) => {
    try {
      await manager.revokeTokens();
    } finally {
      await manager.removeUser();
    }
  };

  it('P3 revokes at the provider and leaves nothing stored', async () => {
    const { manager, user } = await signIn();
    await signOut(manager);
    expect(await server.refused(user.refresh_token as string)).toBe('invalid_grant');
    expect(vault.records.size).toBe(0);
    expect(await start().getUser()).toBeNull();
  });

  it('P3 offline leaves nothing stored, and says that nothing was revoked', async () => {
    const { manager } = await signIn();
    server.stop();
    await expect(signOut(manager)).rejects.toThrow('fetch');
    expect(vault.records.size).toBe(0);
  });
});

it('P1 a locked store rejects getUser and silent renew, and nothing is deleted', async () => {
  const { manager, user } = await signIn();
  vault.fail('get_token', rejection('locked'), 2);
  const removals = vault.count('clear_token');
  await expect(start().getUser()).rejects.toMatchObject({ name: 'SecureTokenError', code: 'locked' });
  await expect(manager.signinSilent()).rejects.toMatchObject({ code: 'locked' });
  expect(vault.count('clear_token')).toBe(removals);
  expect((await start().getUser())?.access_token).toBe(user.access_token);
});
