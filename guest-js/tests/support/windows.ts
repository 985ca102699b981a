// Several windows of one app: each is a page with the package, its bridge and its global scope, over one process.

import type { FakeVault } from './fake-vault.js';
import { buildRealm, type Package, type Surroundings } from './realm.js';

export interface Window extends Package {
  /** What the browser does to the page. */
  happens(event: 'beforeunload' | 'pagehide' | 'pageshow', persisted: boolean): void;
  /** The page is left for good. */
  close(): void;
}

let load: ((surroundings: Surroundings) => Package) | undefined;

/** A page that has just been loaded into a window of its own. */
export async function openWindow(vault: FakeVault): Promise<Window> {
  load ??= await buildRealm();
  const { internals, leave, close } = vault.openWindow();
  const listeners = new Map<string, (event: { persisted: boolean }) => void>();
  const api = load({
    globals: {
      __TAURI_INTERNALS__: internals,
      addEventListener: (name: string, listener: (event: { persisted: boolean }) => void) =>
        listeners.set(name, listener),
      removeEventListener() {},
    },
    now: () => Date.now(),
    setTimeout: (run, delay) => setTimeout(run, delay) as unknown as number,
    clearTimeout: (timer) => clearTimeout(timer),
  });
  return {
    ...api,
    happens(event, persisted) {
      listeners.get(event)?.({ persisted });
      // For the native side a page in the back-forward cache is gone.
      if (event === 'pagehide') leave();
    },
    close,
  };
}
