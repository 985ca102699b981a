// Calls a command of the plugin. Whatever it rejects with becomes the one error type.

import { type InvokeArgs, invoke as tauriInvoke } from '@tauri-apps/api/core';
import { toError } from './errors.js';

export async function invoke<T>(command: string, args?: object): Promise<T> {
  try {
    return await tauriInvoke<T>(`plugin:secure-token|${command}`, args as InvokeArgs);
  } catch (cause) {
    throw await toError(cause, command);
  }
}
