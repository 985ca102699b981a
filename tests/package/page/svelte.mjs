import { writeFileSync } from 'node:fs';
import { followsSession } from './page.mjs';

const { mount, unmount } = await import('svelte');
const { compile } = await import('svelte/compiler');
const { useSession } = await import('tauri-plugin-secure-token-api/svelte');

for (const name of ['Runes', 'Store']) {
  const source = `
    <script>
      const { session } = $props();
    </script>
    <p>{${name === 'Runes' ? 'session.current.status' : '$session.status'}}</p>`;
  const file = new URL(`${name}.mjs`, import.meta.url);
  writeFileSync(file, compile(source, { filename: `${name}.svelte` }).js.code);
  const { default: View } = await import(file);
  await followsSession((session, target) => {
    const component = mount(View, { target, props: { session: useSession(session) } });
    return () => unmount(component);
  });
}
