// The words that people read for what the session and the key store call their states.

import type { SignedOutReason, Status, StoreInfo } from 'tauri-plugin-secure-token-api';

export const STATUS: Record<Status, string> = {
  hydrating: 'Reading the key store',
  signedOut: 'Signed out',
  signedIn: 'Signed in',
  unavailable: 'Key store unavailable',
};

export const ENDED: Record<SignedOutReason, string> = {
  logout: 'Somebody logged out',
  refused: 'The API has ended the sign-in',
  elsewhere: 'The sign-in was removed outside this app',
  interrupted: 'The app was closed during a refresh, and the API has ended the sign-in',
};

export const STORE_STATE: Record<StoreInfo['state'], string> = {
  available: 'Available',
  locked: 'Locked',
  unavailable: 'Unavailable',
};
