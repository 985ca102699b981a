// A Debian 13 root folder in the cache folder, for compilers and programs that older systems do not have.
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { cache, root } from './paths.mjs';
import { ensurePrerequisites, MissingPrerequisite } from './prerequisites.mjs';
import { answer, run } from './run.mjs';
import { debianRootPackages } from './system-packages.mjs';

const folder = join(cache, 'debian-13');
const mirror = 'http://deb.debian.org/debian';
const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';
const settings = [
  'HOME=/root',
  'PATH=/usr/sbin:/usr/bin:/sbin:/bin',
  'LANG=C.UTF-8',
  'DEBIAN_FRONTEND=noninteractive',
];

/** Makes the root if there is none, and installs the packages that it lacks; `instead` is what else would do. */
export async function ensureDebian13(packages, instead) {
  refuseWhereItCannotRun(instead);
  if (!existsSync(folder)) await makeRoot();
  const states = answer(inDebian13(['dpkg', '--status', ...packages]))?.match(/^Status: .* installed$/gm);
  if (states?.length === packages.length) return;
  console.log(`Installing into the Debian 13 root: ${packages.join(' ')}`);
  await inside('dpkg', '--configure', '--pending');
  await inside('apt-get', 'update', '--quiet=2');
  await inside('apt-get', 'install', '--yes', '--quiet=2', '--no-install-recommends', ...packages);
  await inside('apt-get', 'clean');
}

/**
 * The command that runs `command` inside the root, where `folders` of this machine are seen under their own paths.
 * What it mounts is gone when it ends.
 */
export function inDebian13(command, { folders = [], cwd = '/' } = {}) {
  return [
    ...[
      'unshare',
      '--mount',
      '--pid',
      '--fork',
      '--kill-child',
      'sh',
      join(root, 'scripts/lib/in-debian-root.sh'),
    ],
    ...[folder, cwd, String(folders.length), ...folders, ...settings, ...command],
  ];
}

function refuseWhereItCannotRun(instead) {
  const without = (what, remedy) =>
    new MissingPrerequisite(
      `It needs a Debian 13 root folder (${folder}), and ${what}. ${remedy} ${instead}`,
    );
  if (process.platform !== 'linux') throw without(`this is ${process.platform}`, 'Run it on Linux.');
  if (process.getuid() !== 0) {
    throw without('only root can make and enter one', 'Run it as root, in a container for instance.');
  }
  if (answer(['unshare', '--mount', '--pid', '--fork', 'true']) === undefined) {
    throw without('this root may not mount', 'In a container start that with the capability SYS_ADMIN.');
  }
}

async function makeRoot() {
  await ensurePrerequisites({ packages: debianRootPackages });
  const unfinished = `${folder}.unfinished`;
  console.log(`Making a Debian 13 root folder: ${folder}`);
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { recursive: true });
  const signed = ['--force-check-gpg', `--keyring=${keyring}`];
  await succeed(['debootstrap', '--variant=minbase', ...signed, 'trixie', unfinished, mirror]);
  renameSync(unfinished, folder);
}

const inside = (...command) => succeed(inDebian13(command));

async function succeed(command) {
  const { code } = await run(command);
  if (code !== 0) {
    throw new MissingPrerequisite(`The Debian 13 root folder (${folder}) could not be made or filled.`);
  }
}
