// Windows programs: built here for Windows and run by Wine, or at home on Windows itself.
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { ensureDebian13, inDebian13 } from './debian13.mjs';
import { cache, root, targetDir } from './paths.mjs';
import { MissingPrerequisite } from './prerequisites.mjs';
import { run } from './run.mjs';

const atHome = process.platform === 'win32';
const target = 'x86_64-pc-windows-gnu';
const packages = ['wine64', 'wine'];
const prefixes = join(cache, 'wine');
const prefix = join(prefixes, 'prefix');

/** The targets that Rust needs, besides that of this machine. */
export const windowsTargets = atHome ? [] : [target];

/**
 * What to add to a command of cargo. Wine lists credentials at odd addresses, which Rust's checks take for a fault of
 * the crate that reads them.
 */
export const forWindows = atHome
  ? []
  : [
      '--target',
      target,
      '--config',
      'profile.dev.package.windows-native-keyring-store.debug-assertions=false',
    ];

/** Tells cargo what starts the programs that it has built. */
export function windowsEnvironment() {
  if (atHome) return {};
  // Cargo divides this at blanks, which a full path may have, and starts it in the folder of the package.
  return { CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUNNER: 'node scripts/run-with-wine.mjs' };
}

/** Wine 10: older ones lack a function that Rust programs need. */
export async function ensureWine() {
  if (atHome) return;
  await ensureDebian13(packages, 'Or run it on Windows.');
  if (!existsSync(prefix)) await makePrefix();
}

/** The command that runs a Windows program; `libraries` are folders with DLLs of its own. */
export function withWine(command, libraries = []) {
  return inWine(prefix, ['wine', ...command], libraries);
}

async function makePrefix() {
  const unfinished = `${prefix}.unfinished`;
  console.log(`Making a Windows for Wine: ${prefix}`);
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(prefixes, { recursive: true });
  const { code } = await run(inWine(unfinished, ['wineboot', '--init']));
  if (code !== 0 || !existsSync(join(unfinished, 'user.reg'))) {
    throw new MissingPrerequisite(`Wine could not set up ${unfinished}.`);
  }
  renameSync(unfinished, prefix);
}

/**
 * Waits until Wine's server has written the registry, where the credentials are: what still runs when the first
 * process of the root ends is killed.
 */
function inWine(folder, command, libraries = []) {
  mkdirSync(targetDir, { recursive: true });
  const settings = [
    `WINEPREFIX=${folder}`,
    'WINEDEBUG=-all',
    // For what Wine does in another way than Windows.
    'SECURE_TOKEN_TEST_WINE=1',
    // Wine fails to list credentials while another process removes one, even if that is of another app.
    'RUST_TEST_THREADS=1',
    // Else it complains that there is no desktop.
    'XDG_RUNTIME_DIR=/tmp',
    'WINEDLLOVERRIDES=mscoree,mshtml=',
    `WINEPATH=${libraries.map((library) => `Z:${library.replaceAll('/', '\\')}`).join(';')}`,
  ];
  const script = '"$@"; code=$?; wineserver --wait; exit $code';
  return inDebian13(['env', ...settings, 'sh', '-c', script, 'sh', ...command], {
    folders: [prefixes, targetDir, root],
    cwd: root,
  });
}

/** The folders that cargo adds to the search path of libraries: those of build scripts have DLLs. */
export const librariesOfCargo = () => (process.env.LD_LIBRARY_PATH ?? '').split(delimiter).filter(Boolean);
