// The Swift compiler: the one on PATH where it is new enough, else that of a Debian 13 root.
import { ensureDebian13, inDebian13 } from './debian13.mjs';
import { iosFolder } from './ios-package.mjs';
import { answer } from './run.mjs';

const packages = ['swiftlang', 'gcc', 'g++', 'libc6-dev', 'libstdc++-14-dev', 'git'];

const onPath = () => Number(answer(['swift', '--version'])?.match(/Swift version (\d+)\./)?.[1] ?? 0) >= 6;

export async function ensureSwift() {
  if (!onPath()) await ensureDebian13(packages, 'Or install Swift 6: https://www.swift.org/install/linux/');
}

/** A command with Swift's tools that runs in the folder of the test build, and needs nothing outside of it. */
export function withSwift(...command) {
  return onPath() ? command : inDebian13(command, { folders: [iosFolder], cwd: iosFolder });
}

/** `swift build` or `swift test` of the test build. A sanitizer takes a build of its own, and only the races. */
export function swiftPackage(action, ...options) {
  const races = options.includes('--sanitize=thread');
  const places = ['--package-path', 'package', '--scratch-path', races ? 'build-races' : 'build'];
  const selection = races ? ['--filter', 'RaceTests'] : [];
  const runner = action === 'test' ? ['--disable-swift-testing'] : [];
  return withSwift('swift', action, ...places, ...options, ...selection, ...runner);
}
