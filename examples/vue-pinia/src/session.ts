// The one session of this page, the fetch that carries its token, and the store that the components read.

import { isTauri } from '@tauri-apps/api/core';
import { createAuthFetch, createSession, SecureTokenError, watchTokens } from 'tauri-plugin-secure-token-api';
import { keepFresh } from 'tauri-plugin-secure-token-api/keep-fresh';
import { defineSessionStore } from 'tauri-plugin-secure-token-api/pinia';
import { revoke, rotate } from './api';
import { config } from './config';
import { describe, report } from './events';
import { ENDED, STATUS } from './words';

function onError(error: Error) {
  const part = error instanceof SecureTokenError ? 'Key store' : 'API';
  report('problem', `${part}: ${describe(error)}`);
}

export const session = createSession({
  refresh: async (current, { signal }) => {
    const tokens = await rotate(current, signal);
    report('api', 'Token rotated');
    return tokens;
  },
  revoke: async (record) => {
    await revoke(record);
    report('api', 'Token revoked at the API');
  },
  onSignedOut: (reason) => report('session', ENDED[reason]),
  onError,
});
keepFresh(session, onError);

export const authFetch = createAuthFetch(session, { origins: [new URL(config.apiUrl).origin] });

export const useSession = defineSessionStore(session);

let before = session.getSnapshot();
session.listen((now) => {
  if (now.status !== before.status) report('session', STATUS[now.status]);
  if (now.status === 'signedIn' && now.persisted) {
    if (before.status !== 'signedIn') report('store', 'Token read from the key store');
    else if (!before.persisted) report('store', 'Token saved in the key store');
  }
  before = now;
});

if (isTauri()) {
  watchTokens(({ revision, present }) => {
    report('store', `Key store ${present ? 'changed' : 'emptied'}, revision ${revision}`);
  }).catch((cause) => report('problem', `No notices from the key store: ${describe(cause)}`));
}
