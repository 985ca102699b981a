// What package.json and Cargo.toml tell the registries, and what the other files must agree with.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { root } from '../lib/paths.mjs';

const read = (name) => readFileSync(join(root, name), 'utf8');
const cargo = read('Cargo.toml');
const npm = JSON.parse(read('package.json'));
const [, repository] = cargo.match(/^repository = "(.+)"$/m);

test('both registries are told of one repository, where they find the pictures and links of the README', () => {
  assert.equal(npm.repository.url, `git+${repository}.git`);
  assert.ok(npm.homepage.startsWith(`${repository}#`));
  assert.equal(npm.bugs, `${repository}/issues`);
  const targets = [...read('README.md').matchAll(/\]\((?!https:)([^)#]+)/g)].map(([, target]) => target);
  assert.deepEqual(
    targets.filter((target) => !existsSync(join(root, target))),
    [],
  );
});

test('both packages have the same version and licence', () => {
  const [, version] = cargo.match(/^version = "(.+)"$/m);
  const [, license] = cargo.match(/^license = "(.+)"$/m);
  assert.deepEqual([npm.version, npm.license], [version, license]);
});

test('docs.rs documents every platform', () => {
  const [, list] = cargo.match(/\[package\.metadata\.docs\.rs\]\ntargets = \[([^\]]+)\]/);
  for (const platform of ['linux-gnu', 'apple-darwin', 'windows-msvc', 'apple-ios', 'linux-android'])
    assert.match(list, new RegExp(`-${platform}"`));
});

test('the feature that macOS needs of security-framework does not hang on another crate', () => {
  assert.match(cargo, /^security-framework = \{.*features = \[.*"OSX_10_15".*\].*\}$/m);
});
