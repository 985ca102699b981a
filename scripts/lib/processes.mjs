// Starts helper processes in groups of their own, so that stopping one leaves nothing behind.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { until } from './until.mjs';

const running = new Set();
process.on('exit', () => {
  for (const started of running) started.kill('SIGKILL');
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => process.exit(1));
}

/**
 * `input` is written to the process' standard input, which then ends.
 * `channel` opens file descriptor 3 for the process to write to; its text is in `told()`.
 */
export async function startProcess(command, args, { env, input = '', channel = false } = {}) {
  const stdio = ['pipe', 'pipe', 'pipe', ...(channel ? ['pipe'] : [])];
  // The kernel ends it with this process, also when that is killed and cannot tidy up.
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', command, ...args], { env, stdio, detached: true });
  const started = new StartedProcess(command, child);
  await once(child, 'spawn');
  running.add(started);
  child.stdin.on('error', (error) => started.note(error));
  child.stdin.end(input);
  return started;
}

class StartedProcess {
  #command;
  #child;
  #output = '';
  #told = '';

  constructor(command, child) {
    this.#command = command;
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => {
        this.#output += text;
      });
    }
    child.stdio[3]?.setEncoding('utf8').on('data', (text) => {
      this.#told += text;
    });
  }

  get pid() {
    return this.#child.pid;
  }

  get ended() {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  output() {
    return this.#output;
  }

  told() {
    return this.#told;
  }

  note(error) {
    this.#output += `\n${this.#command}: ${error.message}\n`;
  }

  kill(signal) {
    try {
      process.kill(-this.#child.pid, signal);
    } catch (error) {
      if (error.code !== 'ESRCH') throw error;
    }
  }

  /** Waits for a condition, and gives up at once when the process is gone. */
  ready(what, condition) {
    let gone = false;
    return until(`${this.#command}: ${what}`, async () => {
      gone = this.ended;
      return gone || (await condition());
    }).then((value) => {
      if (gone) throw new Error(`${this.#command} ended: ${what} never came\n${this.#output}`);
      return value;
    });
  }

  /** The first line of standard output, the moment it comes. */
  firstLine() {
    let text = '';
    return new Promise((resolve, reject) => {
      this.#child.stdout.on('data', (chunk) => {
        text += chunk;
        if (text.includes('\n')) resolve(text.slice(0, text.indexOf('\n')));
      });
      this.#child.once('close', () =>
        reject(new Error(`${this.#command} ended without a line\n${this.#output}`)),
      );
    });
  }

  /** Ends the whole group: politely, then by force after five seconds. */
  async stop(signal = 'SIGTERM') {
    this.kill(signal);
    const ended = () => !groupLives(this.#child.pid);
    await until('the process group ends', ended, { timeout: 5_000 }).catch(() => this.kill('SIGKILL'));
    await until('the process group ends when killed', ended);
    running.delete(this);
  }
}

/** Zombies do not count: in a container nobody may reap the orphans. */
function groupLives(group) {
  return readdirSync('/proc').some((name) => {
    if (!/^\d+$/.test(name)) return false;
    const [state, , processGroup] = statusOf(name);
    return Number(processGroup) === group && state !== 'Z';
  });
}

/** State, parent and group of a process, proc(5); a process that has just ended has none. */
function statusOf(pid) {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch (error) {
    if (error.code === 'ENOENT' || error.code === 'ESRCH') return [];
    throw error;
  }
}

export async function freePort() {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}
