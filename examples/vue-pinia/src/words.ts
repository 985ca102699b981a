// The words that people read for what the session and the key store call their states.

import type { Status, StoreInfo } from 'tauri-plugin-secure-token-api';

export const STATUS: Record<Status, string> = {
  hydrating: 'Reading the key store',
  signedOut: 'Signed out',
  signedIn: 'Signed in',
  unavailable: 'Key store unavailable',
};

export const STORE_STATE: Record<StoreInfo['state'], string> = {
  available: 'Available',
  locked: 'Locked',
  unavailable: 'Unavailable',
};
