// The session commands of the plugin, for one account.

import { Channel } from '@tauri-apps/api/core';
import type { TokenRecord } from './commands.js';
import { invoke } from './invoke.js';
import type { Lease, Owner, OwnerMessage, OwnerSnapshot, TokenResult } from './owner.js';

export function nativeOwner(account: string): Owner {
  const ask = <T>(command: string, args?: object) => invoke<T>(`session_${command}`, { account, ...args });
  return {
    open: async (listener, abilities) =>
      ask<OwnerSnapshot>('open', { channel: new Channel<OwnerMessage>(listener), ...abilities }),
    hydrate: () => ask<OwnerSnapshot>('hydrate'),
    signIn: (tokens) => ask<OwnerSnapshot>('sign_in', tokens),
    signOut: () => ask<OwnerSnapshot>('sign_out'),
    token: (query) => ask<TokenResult>('token', query),
    lease: (query) => ask<TokenResult | Lease>('lease', query),
    answer: (lease, outcome) => ask<TokenResult>('answer', { lease, ...outcome }),
    revokes: () => ask<TokenRecord[]>('revokes'),
  };
}
