// Where the demo's servers listen: told by the app, or the API's default in a plain browser.

import { invoke, isTauri } from '@tauri-apps/api/core';

interface Config {
  apiUrl: string;
  /** An origin that must never receive the token. */
  otherUrl?: string;
}

export const config: Config = isTauri()
  ? await invoke<Config>('api_config')
  : { apiUrl: 'http://127.0.0.1:8787' };
