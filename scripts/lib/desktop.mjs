// A private desktop session: its own home, screen, session bus and keyring; nothing of the person's own is touched.
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Keyring } from './keyring.mjs';
import { startProcess } from './processes.mjs';

// Whatever would lead a program to the person's own session, keyring or data.
const foreign =
  /^(?:XDG_|DBUS_|GNOME_|GTK_|WAYLAND_|DISPLAY$|XAUTHORITY$|SSH_AUTH_SOCK$|SECURE_TOKEN_DEMO_|NODE_TEST_)/;

const folders = new Set();
const remove = (folder) => rmSync(folder, { recursive: true, force: true });
// Also when a run is interrupted; its processes have been killed by then.
process.on('exit', () => folders.forEach(remove));

/**
 * `prompter`: gnome-keyring's own unlock dialog can appear on the private screen (nobody answers it).
 * Without it an unlock prompt is dismissed at once.
 */
export async function startDesktop({ prompter = false } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'secure-token-'));
  folders.add(folder);
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !foreign.test(name)));
  Object.assign(env, {
    HOME: makeFolder(folder, 'home'),
    XDG_RUNTIME_DIR: makeFolder(folder, 'run'),
    GSETTINGS_BACKEND: 'memory',
    // No accessibility bus and no graphics card here.
    NO_AT_BRIDGE: '1',
    WEBKIT_DISABLE_DMABUF_RENDERER: '1',
  });
  const started = [];
  const start = async (...args) => {
    const helper = await startProcess(...args);
    started.unshift(helper);
    return helper;
  };
  const keyring = new Keyring(env);
  const stop = async () => {
    await keyring.stop();
    for (const helper of started) await helper.stop();
    remove(folder);
    folders.delete(folder);
  };
  try {
    env.DISPLAY = await startScreen(start, env);
    env.DBUS_SESSION_BUS_ADDRESS = await startBus(start, env, folder, prompter);
    await keyring.start();
  } catch (error) {
    await stop();
    throw error;
  }
  return { env, folder, keyring, stop };
}

function makeFolder(parent, name) {
  const path = join(parent, name);
  mkdirSync(path, { mode: 0o700 });
  return path;
}

async function startScreen(start, env) {
  const args = ['-displayfd', '3', '-screen', '0', '1280x900x24', '-nolisten', 'tcp'];
  const screen = await start('Xvfb', args, { env, channel: true });
  await screen.ready('a display number', () => screen.told().endsWith('\n'));
  return `:${screen.told().trim()}`;
}

/** The bus starts no services of the system by itself, so what answers on it is what was started here. */
async function startBus(start, env, folder, prompter) {
  const services = makeFolder(folder, 'services');
  if (prompter) {
    const name = 'org.gnome.keyring.SystemPrompter.service';
    copyFileSync(join('/usr/share/dbus-1/services', name), join(services, name));
  }
  const config = join(folder, 'bus.conf');
  writeFileSync(
    config,
    `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
  "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:dir=${env.XDG_RUNTIME_DIR}</listen>
  <auth>EXTERNAL</auth>
  <servicedir>${services}</servicedir>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
`,
  );
  const bus = await start('dbus-daemon', [`--config-file=${config}`, '--nofork', '--print-address=3'], {
    env,
    channel: true,
  });
  await bus.ready('an address', () => bus.told().endsWith('\n'));
  return bus.told().trim();
}
