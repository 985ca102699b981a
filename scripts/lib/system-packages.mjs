// The system packages of the stages by their Debian names, and how to tell that each is there on any distribution.
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { answer } from './run.mjs';

const probes = {
  'build-essential': { command: 'cc' },
  'pkg-config': { command: 'pkg-config' },
  'libwebkit2gtk-4.1-dev': { module: 'webkit2gtk-4.1' },
  'librsvg2-dev': { module: 'librsvg-2.0' },
  'libxdo-dev': { header: 'xdo.h' },
  'webkit2gtk-driver': { command: 'WebKitWebDriver' },
  xvfb: { command: 'Xvfb' },
  dbus: { command: 'dbus-daemon' },
  'dbus-bin': { command: 'dbus-send' },
  'util-linux': { command: 'setpriv' },
  'gnome-keyring': { command: 'gnome-keyring-daemon' },
  'libsecret-tools': { command: 'secret-tool' },
  'libkf5wallet-bin': { command: 'kwalletd5' },
  'libqca-qt5-2-plugins': { file: `/usr/lib/${machine()}-linux-gnu/qca-qt5/crypto/libqca-ossl.so` },
  keepassxc: { command: 'keepassxc' },
  xdotool: { command: 'xdotool' },
  'xdg-desktop-portal': { file: '/usr/libexec/xdg-desktop-portal' },
  bubblewrap: { command: 'bwrap' },
  clang: { command: 'clang' },
  llvm: { command: 'llvm-ar' },
  'gcc-mingw-w64-x86-64': { command: 'x86_64-w64-mingw32-gcc' },
  'default-jdk-headless': { command: 'javac' },
  maven: { command: 'mvn' },
  debootstrap: { command: 'debootstrap' },
  'debian-archive-keyring': { file: '/usr/share/keyrings/debian-archive-keyring.gpg' },
};

/** What builds a Tauri app. */
export const buildPackages = [
  'build-essential',
  'pkg-config',
  'libwebkit2gtk-4.1-dev',
  'librsvg2-dev',
  'libxdo-dev',
];
/** A private session bus with a real key store, and what ends them with the tests. */
export const keyringPackages = ['dbus', 'dbus-bin', 'util-linux', 'gnome-keyring', 'libsecret-tools'];
/** The other programs that answer for the Secret Service. */
export const otherProviderPackages = ['libkf5wallet-bin', 'libqca-qt5-2-plugins', 'keepassxc'];
/** A screen for their dialogs, and the keys that a person presses there. */
export const dialogPackages = ['xvfb', 'xdotool'];
/** A sandbox as Flatpak builds it, and the portal that it talks to. */
export const sandboxPackages = ['xdg-desktop-portal', 'bubblewrap'];
/** A screen and a driver for the app's window. */
export const windowPackages = ['xvfb', 'webkit2gtk-driver'];
/** The C compiler for the iOS target away from a Mac. */
export const iosPackages = ['clang', 'llvm'];
/** The C compiler and linker for Windows away from Windows. */
export const windowsPackages = ['gcc-mingw-w64-x86-64'];
/** What builds and runs the Android tests. */
export const androidPackages = ['default-jdk-headless', 'maven'];
/** What makes a Debian root folder. */
export const debianRootPackages = ['debootstrap', 'debian-archive-keyring'];

/** The processor as Debian's folders name it. */
function machine() {
  return { x64: 'x86_64', arm64: 'aarch64' }[process.arch] ?? process.arch;
}

export function missingPackages(names) {
  return names.filter((name) => !isThere(probes[name]));
}

function isThere({ command, module, header, file }) {
  if (command) return process.env.PATH.split(delimiter).some((folder) => isExecutable(join(folder, command)));
  if (module) return answer(['pkg-config', '--exists', module]) !== undefined;
  return isReadable(file ?? join('/usr/include', header));
}

const isExecutable = (path) => allows(path, constants.X_OK);
const isReadable = (path) => allows(path, constants.R_OK);

function allows(path, mode) {
  try {
    accessSync(path, mode);
    return true;
  } catch {
    return false;
  }
}
