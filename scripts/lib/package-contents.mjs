// Says what is wrong with the files that the npm package and the crate would publish.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './paths.mjs';
import { answer } from './run.mjs';

const licences = ['LICENSE-APACHE', 'LICENSE-MIT'];

export function npmProblems(files, manifest) {
  const exported = targets(manifest.exports).map((path) => path.replace(/^\.\//, ''));
  const required = ['package.json', 'README.md', ...licences, ...exported];
  const allowed = (path) =>
    /^dist-js\/[\w./-]+\.(?:js|cjs|d\.ts|d\.cts)$/.test(path) || [...required, 'CHANGELOG.md'].includes(path);
  return [
    ...compare('npm package', files, required, (path) => !allowed(path) || isTest(path)),
    ...unknownToOldResolvers(manifest),
  ];
}

/** Resolvers that do not read `exports`, such as TypeScript's `node10`, find the types of an entry in `typesVersions`. */
function unknownToOldResolvers({ exports, typesVersions }) {
  return Object.entries(exports)
    .filter(([name, entry]) => name !== '.' && entry.import)
    .map(([name, entry]) => [name.replace('./', ''), entry.import.types])
    .filter(([name, types]) => typesVersions['*'][name]?.[0] !== types)
    .map(([name, types]) => `npm package: typesVersions has no ${name} with ${types}`);
}

/** The paths at the ends of a conditional export. */
function targets(entry) {
  return typeof entry === 'string' ? [entry] : Object.values(entry).flatMap(targets);
}

export function crateProblems(files) {
  const required = [
    'Cargo.toml',
    'README.md',
    ...licences,
    'api-iife.js',
    'build.rs',
    'permissions/default.toml',
    'permissions/schemas/schema.json',
    'android/build.gradle.kts',
    'android/src/main/java/SecureTokenPlugin.kt',
    'ios/Package.swift',
    'ios/Sources/SecureTokenPlugin.swift',
    'src/lib.rs',
  ];
  const foreign =
    /^(?:\.ci|bench|dist-js|examples|guest-js|node_modules|scripts|tests\/(?:android|docs|e2e|ios|package))\/|^package(?:-lock)?\.json$/;
  return compare('crate', files, required, (path) => foreign.test(path));
}

const isTest = (path) => /(?:^|\/)tests?\/|\.test\./.test(path);

function compare(what, files, required, unwanted) {
  return [
    ...required.filter((path) => !files.includes(path)).map((path) => `${what}: ${path} is missing`),
    ...files.filter(unwanted).map((path) => `${what}: ${path} does not belong in it`),
  ];
}

export function inspectNpmPackage() {
  const listing = answer(['npm', 'pack', '--dry-run', '--json', '--ignore-scripts']);
  if (!listing) return ['npm pack --dry-run failed'];
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  return npmProblems(
    JSON.parse(listing)[0].files.map((file) => file.path),
    manifest,
  );
}

export function inspectCrate() {
  const listing = answer(['cargo', 'package', '-p', 'tauri-plugin-secure-token', '--list', '--allow-dirty']);
  if (!listing) return ['cargo package --list failed'];
  return crateProblems(
    listing
      .trim()
      .split(/\r?\n/)
      .map((path) => path.replaceAll('\\', '/')),
  );
}
