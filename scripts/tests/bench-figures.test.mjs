// How the bench makes one figure of many measurements.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compared, idle, median, shown } from '../lib/bench-figures.mjs';
import { added } from '../lib/wakeups.mjs';

test('median: sorts by size, not as text, and takes the middle of an even count', () => {
  assert.equal(median([10, 9, 100]), 10);
  assert.equal(median([1, 2, 3, 4]), 2.5);
});

test('the ratio is the quotient of the two figures that are shown with it', () => {
  const { ours, base, ratio } = compared([
    [1.000049, 0.99996],
    [2.345678, 1.234567],
    [9.9, 0.1],
  ]);
  assert.deepEqual([ours, base], [2.3457, 1]);
  assert.equal(shown(ratio), shown(Number(shown(ours)) / Number(shown(base))));
});

test('wake-ups that the app has without the plugin, too, are not the plugin’s, nor is the noise of them', () => {
  const quiet = idle([
    [31, 30],
    [36, 30],
    [30, 38],
  ]);
  assert.deepEqual(quiet, { withPlugin: 31, withoutPlugin: 30, added: 1, noise: 8 });
  assert.equal(idle([[152, 30]]).added, 122);
});

test('wake-ups of a thread that began meanwhile count, and one that has ended takes none away', () => {
  const before = new Map([
    ['1', 100],
    ['2', 50],
  ]);
  const after = new Map([
    ['1', 110],
    ['3', 7],
  ]);
  assert.equal(added(before, after), 17);
});
