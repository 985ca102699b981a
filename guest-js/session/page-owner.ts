// Which owner the sessions of this page have.

import { inTauri } from '../ipc/errors.js';
import { nativeOwner } from '../ipc/native-owner.js';
import type { Owner } from '../ipc/owner.js';
import { tellOnce } from '../shared/tell-once.js';

type OwnerOf = (account: string) => Owner;

let substitute: OwnerOf | undefined;

/** Gives the sessions that are made from now on another owner, for tests. */
export function substituteOwners(ownerOf: OwnerOf | undefined): void {
  substitute = ownerOf;
}

export async function ownerOf(account: string): Promise<Owner> {
  if (substitute) return substitute(account);
  if (inTauri()) return nativeOwner(account);
  tellOnce('memory', 'no Tauri here, memory only');
  return (await import('./memory-owner.js')).memoryOwner(account);
}
