// The demo on a person's own desktop: their key store, a window to use, and an API until it closes.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createApi, createOther } from '../../examples/vue-pinia/api/server.mjs';
import { builtBinary, cache } from './paths.mjs';

export async function show() {
  mkdirSync(cache, { recursive: true });
  // The API remembers its sessions, so that the app is still signed in the next time.
  const api = await createApi({ file: join(cache, 'demo-sessions.json') });
  const other = await createOther();
  const app = spawn(builtBinary('vue-pinia'), [], {
    // Held open by the app, and by the one that takes its place when it restarts itself.
    stdio: ['inherit', 'inherit', 'inherit', 'pipe'],
    env: { ...process.env, SECURE_TOKEN_DEMO_API: api.url, SECURE_TOKEN_DEMO_OTHER: other.url },
  });
  await once(app, 'spawn');
  const held = app.stdio[3].resume();
  const end = () => {
    app.kill();
    held.destroy();
  };
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, end);
  console.log(`
The window is open; the API is at ${api.url}.
  1. Log in with demo / demo. The token goes into memory and into your key store.
  2. Ask who you are, rotate, open a second window.
  3. Restart the app, or close the window and run this again: you are still signed in.
  4. Let the API be down, or lock the keyring: nobody is signed out by that.
  5. Log out: memory and key store are empty, and the API has revoked the token.
Close the window or press Ctrl-C to end.`);
  await once(held, 'close');
  await Promise.all([api.close(), other.close()]);
}
