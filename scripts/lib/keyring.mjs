// A gnome-keyring of its own on a private session bus: start, restart locked, unlock, look into.
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { startProcess } from './processes.mjs';
import { answer } from './run.mjs';

const password = 'keyring password';
const collection = '/org/freedesktop/secrets/collection/login';

export class Keyring {
  #env;
  #daemon;

  constructor(env) {
    this.#env = env;
  }

  /** The first unlocked start makes the login collection; a locked start finds it closed. */
  async start({ locked = false } = {}) {
    const args = ['--foreground', '--components=secrets', ...(locked ? [] : ['--unlock'])];
    this.#daemon = await startProcess('gnome-keyring-daemon', args, {
      env: this.#env,
      input: locked ? '' : password,
    });
    // It unlocks before it is on the bus.
    await this.#daemon.ready('the login collection', () => this.#collections()?.includes(collection));
  }

  async restart(options) {
    await this.stop();
    await this.start(options);
  }

  async stop() {
    await this.#daemon?.stop();
  }

  /** Whoever asks it something waits until `resume`. */
  pause() {
    this.#daemon.kill('SIGSTOP');
  }

  resume() {
    this.#daemon.kill('SIGCONT');
  }

  /** As the login screen does it: over the daemon's control socket, so that no prompt is involved. */
  async unlock() {
    const secret = Buffer.from(password);
    const unlockOperation = 1;
    const packet = Buffer.alloc(12 + secret.length);
    packet.writeUInt32BE(packet.length, 0);
    packet.writeUInt32BE(unlockOperation, 4);
    packet.writeUInt32BE(secret.length, 8);
    secret.copy(packet, 12);
    const socket = connect(join(this.#env.XDG_RUNTIME_DIR, 'keyring/control'));
    const credentials = Buffer.from([0]);
    socket.write(Buffer.concat([credentials, packet]));
    const [reply] = await once(socket, 'data');
    socket.end();
    const result = reply.readUInt32BE(4);
    if (result !== 0) throw new Error(`gnome-keyring refused to unlock (result ${result})`);
  }

  /** The stored secret with these attributes, or undefined if there is none: asked by secret-tool, not by our code. */
  lookup(attributes) {
    const args = ['lookup', ...Object.entries(attributes).flat()];
    const { status, stdout, stderr, error } = spawnSync('secret-tool', args, {
      env: this.#env,
      encoding: 'utf8',
    });
    if (status === 0) return stdout;
    // A secret that is not there is a 1 without a word.
    if (status === 1 && stderr === '') return undefined;
    throw new Error(`secret-tool failed: ${error?.message ?? stderr}`);
  }

  /**
   * The paths of the collections, once there is a keyring. dbus-send has a new connection each time, and a
   * property of a collection that is the first thing asked for over a connection can end gnome-keyring: those of the
   * service cannot.
   */
  #collections() {
    const command = [
      'dbus-send',
      '--session',
      '--print-reply',
      '--reply-timeout=5000',
      '--dest=org.freedesktop.secrets',
      '/org/freedesktop/secrets',
      'org.freedesktop.DBus.Properties.GetAll',
      'string:org.freedesktop.Secret.Service',
    ];
    const reply = answer(command, { env: this.#env });
    return reply && [...reply.matchAll(/object path "([^"]+)"/g)].map(([, path]) => path);
  }
}
