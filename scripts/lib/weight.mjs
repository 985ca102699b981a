// What the plugin adds to an app: crates, and bytes of the binary. bench/weight.json holds what was accepted.
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './paths.mjs';
import { answer } from './run.mjs';

const file = join(root, 'bench/weight.json');

/** A figure may be so many times the accepted one. */
const tolerance = 1.1;

const targets = [
  'x86_64-unknown-linux-gnu',
  'x86_64-pc-windows-msvc',
  'aarch64-apple-darwin',
  'aarch64-linux-android',
  'aarch64-apple-ios',
];

export const acceptedWeight = () => JSON.parse(readFileSync(file, 'utf8'));

export function accept(weight) {
  writeFileSync(file, `${JSON.stringify(weight, null, 2)}\n`);
}

/** By target, how many crates an app gets that Tauri alone does not bring; the plugin is one of them. */
export function addedCrates() {
  return Object.fromEntries(
    targets.map((target) => {
      const tauri = new Set(crates('tauri', target));
      const added = crates('tauri-plugin-secure-token', target).filter((crate) => !tauri.has(crate));
      return [target, added.length];
    }),
  );
}

function crates(name, target) {
  const command = ['cargo', 'tree', '--locked', '-p', name, '-e', 'normal', '--target', target];
  const tree = answer([...command, '--prefix', 'none', '--format', '{p}']);
  if (!tree) throw new Error(`cargo tree failed for ${name} and ${target}`);
  // After name and version: where it comes from, and whether it was listed before.
  const versions = tree.split('\n').map((line) => line.split(' ').slice(0, 2).join(' '));
  return [...new Set(versions)].filter((crate) => crate !== '');
}

/** The size of the bench app with the plugin and without it, in bytes. */
export function binaryWeight(withPlugin, withoutPlugin) {
  const [ours, base] = [withPlugin, withoutPlugin].map((path) => statSync(path).size);
  return { withPlugin: ours, withoutPlugin: base, growth: ours - base };
}

/** A sentence for each figure that has outgrown the accepted one; `measured` may have a part of the figures. */
export function outgrown(accepted, measured) {
  const problems = [];
  const compare = (what, was, is) => {
    if (is > was * tolerance) problems.push(`${what}: ${is}, and ${was} are accepted`);
  };
  for (const [target, count] of Object.entries(measured.crates ?? {})) {
    compare(`crates that the plugin adds for ${target}`, accepted.crates[target], count);
  }
  if (measured.binary) {
    compare('bytes that the plugin adds to a binary', accepted.binary.growth, measured.binary.growth);
  }
  return problems;
}

/** The cheap half, for every run of the tests. */
export const inspectAddedCrates = () => outgrown(acceptedWeight(), { crates: addedCrates() });
