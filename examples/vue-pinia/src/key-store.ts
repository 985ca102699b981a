// What the key store says about itself, for the card that shows it and for what changes it from outside.

import { invoke, isTauri } from '@tauri-apps/api/core';
import { type StoreInfo, storeInfo } from 'tauri-plugin-secure-token-api';
import { shallowRef } from 'vue';
import { describe } from './events';

export const info = shallowRef<StoreInfo>();
export const problem = shallowRef('');

export async function loadInfo(): Promise<void> {
  try {
    info.value = await storeInfo();
    problem.value = '';
  } catch (cause) {
    info.value = undefined;
    problem.value = describe(cause);
  }
}

/** Whether this app can lock the keyring of its desktop. */
export const canLock = isTauri() && (await invoke<boolean>('can_lock_keyring'));

/** Locks the keyring for every program of the desktop. */
export async function lockKeyring(): Promise<void> {
  await invoke('lock_keyring');
  await loadInfo();
}
