// Runs commands with the project's environment, shows their output as it comes, and hands it back.
import { spawn, spawnSync } from 'node:child_process';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { root, targetDir, toolsFolder } from './paths.mjs';

const windows = process.platform === 'win32';

export function toolEnvironment() {
  const path = [
    join(root, 'node_modules/.bin'),
    join(toolsFolder, 'bin'),
    process.env.PATH,
    join(process.env.CARGO_HOME || join(homedir(), '.cargo'), 'bin'),
  ];
  return { ...process.env, PATH: path.join(delimiter), CARGO_TARGET_DIR: targetDir };
}

/** Resolves with the exit code and all output; a command that cannot be started has the code 127. */
export function run([command, ...args], { cwd = root, env = toolEnvironment() } = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], shell: windows });
    let output = '';
    const show = (from, to) => {
      from.setEncoding('utf8');
      from.on('data', (chunk) => {
        output += chunk;
        to.write(chunk);
      });
    };
    show(child.stdout, process.stdout);
    show(child.stderr, process.stderr);
    child.on('error', (error) => {
      console.error(`${command}: ${error.message}`);
      resolve({ code: 127, output });
    });
    child.on('close', (code) => resolve({ code: code ?? 1, output }));
  });
}

/** The standard output of a short command, or undefined when it fails or does not exist. */
export function answer([command, ...args], { env = toolEnvironment(), cwd = root } = {}) {
  const result = spawnSync(command, args, {
    cwd,
    env,
    encoding: 'utf8',
    shell: windows,
    maxBuffer: Infinity,
  });
  return result.status === 0 ? result.stdout : undefined;
}
