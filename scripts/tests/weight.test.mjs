// When the plugin has become too heavy.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { outgrown } from '../lib/weight.mjs';

const accepted = {
  crates: { 'x86_64-unknown-linux-gnu': 40, 'aarch64-apple-ios': 3 },
  binary: { withPlugin: 9_000_000, withoutPlugin: 7_000_000, growth: 2_000_000 },
};

test('what is lighter, or heavier by less than a tenth, passes', () => {
  assert.deepEqual(
    outgrown(accepted, {
      crates: { 'x86_64-unknown-linux-gnu': 44, 'aarch64-apple-ios': 2 },
      binary: { withPlugin: 19_000_000, withoutPlugin: 17_000_000, growth: 2_000_000 },
    }),
    [],
  );
});

test('each figure that grew by more is named with both numbers', () => {
  const problems = outgrown(accepted, {
    crates: { 'x86_64-unknown-linux-gnu': 45, 'aarch64-apple-ios': 4 },
    binary: { withPlugin: 9_300_000, withoutPlugin: 7_000_000, growth: 2_300_000 },
  });
  assert.deepEqual(problems, [
    'crates that the plugin adds for x86_64-unknown-linux-gnu: 45, and 40 are accepted',
    'crates that the plugin adds for aarch64-apple-ios: 4, and 3 are accepted',
    'bytes that the plugin adds to a binary: 2300000, and 2000000 are accepted',
  ]);
});
