// The part of an app that the code blocks of the documentation import as './api'. Compiled with them, never run.

import type { Tokens } from 'tauri-plugin-secure-token-api';

/** The calls to the app's own API. */
export interface Api {
  /** Resolves with the tokens, or rejects with the status of the answer. */
  login(user: string, password: string): Promise<Tokens>;
  refresh(refreshToken: string | undefined): Promise<Tokens>;
  revoke(refreshToken: string | undefined): Promise<void>;
}

export declare const api: Api;
