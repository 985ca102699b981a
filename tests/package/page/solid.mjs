import { followsSession } from './page.mjs';

const { insert, render } = await import('solid-js/web');
const { useSession } = await import('tauri-plugin-secure-token-api/solid');

await followsSession((session, view) =>
  render(() => {
    const snapshot = useSession(session);
    const element = document.createElement('p');
    insert(element, () => snapshot().status);
    return element;
  }, view),
);
