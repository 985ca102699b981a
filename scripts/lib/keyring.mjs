// A gnome-keyring of its own on a private session bus: start, restart locked, unlock, look into.
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { startProcess } from './processes.mjs';
import { answer } from './run.mjs';

const password = 'keyring password';
const bus = ['org.freedesktop.DBus', '/org/freedesktop/DBus', 'org.freedesktop.DBus'];
const collection = '/org/freedesktop/secrets/aliases/default';

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
    const wanted = locked ? 'true' : 'false';
    await this.#daemon.ready(
      `collection locked: ${wanted}`,
      () => this.#ownsName() && this.#locked() === wanted,
    );
  }

  async restart(options) {
    await this.stop();
    await this.start(options);
  }

  async stop() {
    await this.#daemon?.stop();
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
    await this.#daemon.ready('collection unlocked', () => this.#locked() === 'false');
  }

  /** The stored secret with these attributes, or undefined: asked by secret-tool, not by our code. */
  lookup(attributes) {
    return answer(['secret-tool', 'lookup', ...Object.entries(attributes).flat()], { env: this.#env });
  }

  #ownsName() {
    const [destination, path, service] = bus;
    return (
      this.#ask(destination, path, `${service}.NameHasOwner`, 'string:org.freedesktop.secrets') === 'true'
    );
  }

  #locked() {
    return this.#ask(
      'org.freedesktop.secrets',
      collection,
      'org.freedesktop.DBus.Properties.Get',
      'string:org.freedesktop.Secret.Collection',
      'string:Locked',
    );
  }

  /** The boolean that a D-Bus method answers, as text. */
  #ask(destination, path, method, ...args) {
    const command = [
      'dbus-send',
      '--session',
      '--print-reply',
      '--reply-timeout=5000',
      `--dest=${destination}`,
    ];
    return answer([...command, path, method, ...args], { env: this.#env })?.match(/boolean (\w+)/)?.[1];
  }
}
