// What lets clippy check Apple's targets away from a Mac: clang, llvm-ar and a stand-in for Apple's xcrun.
import { mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { cache } from './paths.mjs';

export function appleCheckEnvironment(base) {
  if (process.platform === 'darwin') return {};
  const folder = join(cache, 'ios-stand-in');
  mkdirSync(join(folder, 'sdk'), { recursive: true });
  const script = `#!/bin/sh
# A stand-in for Apple's xcrun, written by scripts/lib/ios-tools.mjs. It names an empty SDK:
# enough to check Rust code, not to link or run anything.
case "$*" in
  *--show-sdk-path*) echo '${join(folder, 'sdk')}' ;;
  *--show-sdk-version*) echo 18.0 ;;
  *) echo "the xcrun stand-in cannot answer: $*" >&2; exit 1 ;;
esac
`;
  writeFileSync(join(folder, 'xcrun'), script, { mode: 0o755 });
  return {
    CC_aarch64_apple_darwin: 'clang',
    AR_aarch64_apple_darwin: 'llvm-ar',
    CC_aarch64_apple_ios: 'clang',
    AR_aarch64_apple_ios: 'llvm-ar',
    PATH: `${folder}${delimiter}${base.PATH}`,
  };
}
