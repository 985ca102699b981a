// An app in TypeScript that uses every entry of the package; types.test.mjs compiles it.
import {
  createAuthFetch,
  createSession,
  getToken,
  type Session,
  setToken,
} from 'tauri-plugin-secure-token-api';
import type { injectSession } from 'tauri-plugin-secure-token-api/angular';
import type { sessionInterceptor } from 'tauri-plugin-secure-token-api/angular-http';
import type { attachSession } from 'tauri-plugin-secure-token-api/axios';
import { keepFresh } from 'tauri-plugin-secure-token-api/keep-fresh';
import { migrateFrom } from 'tauri-plugin-secure-token-api/migrate';
import { createNativeSession, type NativeSession } from 'tauri-plugin-secure-token-api/native';
import { createOutbox } from 'tauri-plugin-secure-token-api/outbox';
import type { defineSessionStore } from 'tauri-plugin-secure-token-api/pinia';
import type { useSession as useReactSession } from 'tauri-plugin-secure-token-api/react';
import type { useSession as useSolidSession } from 'tauri-plugin-secure-token-api/solid';
import { createSecureStorage, createSyncStorage } from 'tauri-plugin-secure-token-api/storage';
import type { useSession as useSvelteSession } from 'tauri-plugin-secure-token-api/svelte';
import type { useSession as useVueSession } from 'tauri-plugin-secure-token-api/vue';
import type { sessionModule } from 'tauri-plugin-secure-token-api/vuex';

/** What an app hands on without a look whether it is there. */
declare const maybe: { text: string | undefined; number: number | undefined };

const session: Session = createSession({
  account: maybe.text,
  refresh: undefined,
  revoke: undefined,
  onError: undefined,
  onSignedOut: undefined,
});
void session.login({
  token: 'a',
  refreshToken: maybe.text,
  expiresIn: maybe.number,
  expiresAt: maybe.number,
});
void setToken({
  token: 'a',
  refreshToken: maybe.text,
  expiresAt: maybe.number,
  account: maybe.text,
  ifRevision: maybe.number,
});
void getToken({ account: maybe.text });
createOutbox({
  revoke: async () => {},
  account: maybe.text,
  maxAge: maybe.number,
  onError: undefined,
}).dispose();
void migrateFrom('key', { account: maybe.text, parse: undefined });
createSyncStorage({ namespace: maybe.text, onError: undefined });
createSecureStorage({ namespace: maybe.text });
createAuthFetch(session, { origins: [], fetch: undefined });
keepFresh(session, undefined);

const native: NativeSession = createNativeSession({
  account: maybe.text,
  onError: undefined,
  onSignedOut: undefined,
});
void native.login({}, { remember: undefined, signal: undefined }).then(({ ok }: { ok: boolean }) => ok);
void native.fetch('https://api.example.com', { repeat: undefined });
/** Each binding takes a session of either kind. */
type Takes<T extends (session: NativeSession) => unknown> = T;
export type Bindings = [
  Takes<typeof injectSession>,
  Takes<typeof defineSessionStore>,
  Takes<typeof useReactSession>,
  Takes<typeof useSolidSession>,
  Takes<typeof useSvelteSession>,
  Takes<typeof useVueSession>,
  Takes<typeof sessionModule>,
];

/** None of these may be `any`, which every type takes in. */
type IsAny<T> = 0 extends 1 & T ? true : false;
const isAny: Record<string, false> = {
  angular: false as IsAny<typeof injectSession>,
  angularHttp: false as IsAny<typeof sessionInterceptor>,
  axios: false as IsAny<typeof attachSession>,
  pinia: false as IsAny<typeof defineSessionStore>,
  react: false as IsAny<ReturnType<typeof useReactSession>>,
  solid: false as IsAny<ReturnType<typeof useSolidSession>>,
  svelte: false as IsAny<ReturnType<typeof useSvelteSession>>,
  vue: false as IsAny<ReturnType<typeof useVueSession>>,
  vuex: false as IsAny<typeof sessionModule>,
};
export default isAny;
