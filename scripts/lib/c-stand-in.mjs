// A stand-in for the C compilers of other platforms: it makes empty object files, enough to check Rust code, not to link or run
// anything. The feature `native` has C in its cryptography.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cache } from './paths.mjs';

const script = `#!/bin/sh
# Written by scripts/lib/c-stand-in.mjs.
while [ $# -gt 0 ]; do
  case "$1" in
    -o) : > "$2"; shift ;;
  esac
  shift
done
`;

/** What lets cargo check `target` without a C compiler for it. */
export function standInForC(target) {
  const folder = join(cache, 'c-stand-in');
  mkdirSync(folder, { recursive: true });
  const compiler = join(folder, 'cc');
  writeFileSync(compiler, script, { mode: 0o755 });
  const name = target.replaceAll('-', '_');
  return { [`CC_${name}`]: compiler, [`AR_${name}`]: 'llvm-ar' };
}
