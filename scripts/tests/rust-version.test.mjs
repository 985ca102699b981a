// The check that no dependency needs a newer Rust than the crate promises.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newerThanPromised } from '../lib/rust-version.mjs';

const entry = (name, rust_version) => ({ id: name, name, version: '1.0.0', rust_version });
const dep = (pkg, kind = null) => ({ pkg, dep_kinds: [{ kind, target: null }] });
const metadata = {
  packages: [
    entry('plugin', '1.90'),
    entry('fits', '1.90.0'),
    entry('silent', null),
    entry('newer', '1.92'),
    entry('of-tests', '1.99'),
  ],
  resolve: {
    nodes: [
      { id: 'plugin', deps: [dep('fits'), dep('silent', 'build'), dep('of-tests', 'dev')] },
      { id: 'fits', deps: [dep('newer')] },
      { id: 'silent', deps: [] },
      { id: 'newer', deps: [] },
      { id: 'of-tests', deps: [] },
    ],
  },
};

test('a dependency that needs a newer Rust is found, one of the tests is not', () => {
  assert.deepEqual(newerThanPromised(metadata, 'plugin'), ['newer 1.0.0 needs Rust 1.92']);
});
