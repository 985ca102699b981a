// How the bench makes one ratio of many pairs.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { median, medianOfPairs } from '../lib/bench-figures.mjs';

test('median: sorts by size, not as text, and takes the middle of an even count', () => {
  assert.equal(median([10, 9, 100]), 10);
  assert.equal(median([1, 2, 3, 4]), 2.5);
});

test('the ratio is that of the pairs, so that one slow moment does not decide', () => {
  const { ratio } = medianOfPairs([
    [1.1, 1],
    [1.1, 1],
    [11, 10],
  ]);
  assert.ok(Math.abs(ratio - 1.1) < 1e-9);
});
