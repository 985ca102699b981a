// Finds dependencies that need a newer Rust than the crate promises, on any of its platforms.
import { answer } from './run.mjs';

const targets = [
  'x86_64-unknown-linux-gnu',
  'aarch64-apple-darwin',
  'x86_64-pc-windows-msvc',
  'aarch64-linux-android',
  'aarch64-apple-ios',
];

/** The packages that an app gets with the plugin, by `cargo metadata` for one target. */
export function newerThanPromised({ packages, resolve }, name) {
  const byId = new Map(packages.map((entry) => [entry.id, entry]));
  const nodes = new Map(resolve.nodes.map((node) => [node.id, node]));
  const plugin = packages.find((entry) => entry.name === name);
  const found = new Set();
  const waiting = [plugin.id];
  while (waiting.length > 0) {
    const id = waiting.pop();
    if (found.has(id)) continue;
    found.add(id);
    const needed = nodes.get(id).deps.filter((dep) => dep.dep_kinds.some(({ kind }) => kind !== 'dev'));
    waiting.push(...needed.map((dep) => dep.pkg));
  }
  return [...found]
    .map((id) => byId.get(id))
    .filter((entry) => isNewer(entry.rust_version, plugin.rust_version))
    .map((entry) => `${entry.name} ${entry.version} needs Rust ${entry.rust_version}`);
}

function isNewer(version, promised) {
  const [major, minor] = (version ?? '0.0').split('.').map(Number);
  const [promisedMajor, promisedMinor] = promised.split('.').map(Number);
  return major > promisedMajor || (major === promisedMajor && minor > promisedMinor);
}

export function inspectRustVersion() {
  const problems = targets.flatMap((target) => {
    const command = ['cargo', 'metadata', '--locked', '--format-version', '1', '--filter-platform', target];
    const metadata = answer(command);
    if (!metadata) return [`cargo metadata failed for ${target}`];
    return newerThanPromised(JSON.parse(metadata), 'tauri-plugin-secure-token');
  });
  return [...new Set(problems)];
}
