import { followsSession } from './page.mjs';

const { createElement } = await import('react');
const { createRoot } = await import('react-dom/client');
const { useSession } = await import('tauri-plugin-secure-token-api/react');

const View = ({ session }) => createElement('p', undefined, useSession(session).status);

await followsSession((session, view) => {
  const root = createRoot(view);
  root.render(createElement(View, { session }));
  return () => root.unmount();
});
