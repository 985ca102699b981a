// Tells whether a person's desktop with a key store is there to open a window on.
import { answer } from './run.mjs';

export function hasDesktop() {
  if (process.platform !== 'linux') return true;
  if (!process.env.DISPLAY && !process.env.WAYLAND_DISPLAY) return false;
  const bus = ['dbus-send', '--session', '--print-reply', '--dest=org.freedesktop.DBus', '/'];
  return ['ListNames', 'ListActivatableNames'].some((method) =>
    answer([...bus, `org.freedesktop.DBus.${method}`], { env: process.env })?.includes(
      'org.freedesktop.secrets',
    ),
  );
}
