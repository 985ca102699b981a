// Makes sure of what a stage needs: installs it where that is possible, else says exactly what to run.
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { root, toolsFolder } from './paths.mjs';
import { answer, run } from './run.mjs';
import { missingPackages } from './system-packages.mjs';

export class MissingPrerequisite extends Error {}

/** Only what was found missing is asked for, and nothing twice in one run. */
const ensured = new Set();
async function once(key, ensure) {
  if (ensured.has(key)) return;
  await ensure();
  ensured.add(key);
}

/**
 * @param {{ npm?: boolean, platform?: string, packages?: string[], cargoTools?: string[],
 *   rust?: { components?: string[], targets?: string[] }, ensure?: () => Promise<void> }} needs
 */
export async function ensurePrerequisites(needs) {
  ensureNode();
  if (needs.platform && needs.platform !== process.platform) {
    throw new MissingPrerequisite(`It runs on ${needs.platform} only; this is ${process.platform}.`);
  }
  if (needs.packages && process.platform === 'linux') await ensureSystemPackages(needs.packages);
  if (needs.rust) await ensureRust(needs.rust);
  for (const tool of needs.cargoTools ?? []) await once(tool, () => ensureCargoTool(tool));
  if (needs.npm) await once('npm', ensureNpmPackages);
  if (needs.ensure) await needs.ensure();
}

/** The range of `engines` in package.json. */
export function isSupportedNode(version) {
  const [major, minor] = version.split('.').map(Number);
  return (major === 20 && minor >= 19) || (major === 22 && minor >= 12) || major > 22;
}

function ensureNode() {
  if (isSupportedNode(process.versions.node)) return;
  const { engines } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  throw new MissingPrerequisite(`Node ${process.versions.node} is not supported; install ${engines.node}.`);
}

async function ensureNpmPackages() {
  const installed = join(root, 'node_modules/.package-lock.json');
  const lock = join(root, 'package-lock.json');
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(lock).mtimeMs) return;
  // Installs what the lock file says. `npm ci` refuses it, since it lacks the optional packages of other platforms.
  await install(['npm', 'install', '--no-save', '--no-audit', '--no-fund'], 'the npm packages');
}

async function ensureRust({ components = [], targets = [] }) {
  if (!answer(['cargo', '--version'])) {
    throw new MissingPrerequisite('Rust is missing; install it from https://rustup.rs and open a new shell.');
  }
  for (const component of components) {
    const command = component === 'clippy' ? 'cargo-clippy' : component;
    if (answer([command, '--version'])) continue;
    await install(['rustup', 'component', 'add', component], component);
  }
  if (targets.length === 0) return;
  const present = answer(['rustup', 'target', 'list', '--installed'])?.split(/\s+/);
  if (!present) throw new MissingPrerequisite('rustup is missing; it adds the targets of other platforms.');
  const missing = targets.filter((target) => !present.includes(target));
  if (missing.length > 0) await install(['rustup', 'target', 'add', ...missing], 'Rust targets');
}

async function ensureCargoTool(name) {
  if (answer([name, '--version'])) return;
  console.log(`${name} is built once into ${toolsFolder}; this takes some minutes.`);
  await install(['cargo', 'install', name, '--locked', '--root', toolsFolder], name);
}

async function ensureSystemPackages(packages) {
  const missing = missingPackages(packages);
  if (missing.length === 0) return;
  const apt = [
    'apt-get',
    '-o',
    'DPkg::Lock::Timeout=300',
    'install',
    '--yes',
    '--no-install-recommends',
    ...missing,
  ];
  const prefix = administrator();
  if (!answer(['apt-get', '--version']) || !prefix) {
    throw new MissingPrerequisite(
      `System packages are missing. On Debian or Ubuntu run:\n  sudo ${apt.join(' ')}\nElsewhere install what these stand for.`,
    );
  }
  const options = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  // Lists that cannot be renewed, since another program holds them for instance, may still do: the install tells.
  await run([...prefix, 'apt-get', 'update', '--quiet=2'], { env: options });
  await install([...prefix, 'env', 'DEBIAN_FRONTEND=noninteractive', ...apt], missing.join(' '), options);
  const still = missingPackages(packages);
  if (still.length > 0) {
    throw new MissingPrerequisite(`Installed, yet not found: ${still.join(' ')}`);
  }
}

/** What to put in front of a command to run it as root without a question; undefined when that cannot be. */
function administrator() {
  if (process.getuid() === 0) return [];
  return answer(['sudo', '-n', 'true']) === undefined ? undefined : ['sudo', '-n'];
}

async function install(command, what, env) {
  console.log(`Installing ${what}\n$ ${command.join(' ')}`);
  const { code } = await run(command, env && { env });
  if (code !== 0)
    throw new MissingPrerequisite(`Could not install ${what}; run it by hand:\n  ${command.join(' ')}`);
}
