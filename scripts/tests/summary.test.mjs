// The closing line and the exit code of a run.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { closing, table } from '../lib/summary.mjs';

const row = (name, passed, failed, skipped) => ({
  name,
  result: 'passed',
  counts: { passed, failed, skipped },
  ms: 1234,
});

test('the line names skipped tests only when there are some', () => {
  assert.deepEqual(closing([row('a', 2, 0, 0), row('b', 3, 0, 0)]), {
    line: '5 passed, 0 failed',
    exitCode: 0,
  });
  assert.equal(closing([row('a', 2, 0, 1)]).line, '2 passed, 0 failed, 1 skipped');
});

test('a failure and a run without any test both end with an error', () => {
  assert.equal(closing([row('a', 5, 0, 0), row('b', 0, 1, 0)]).exitCode, 1);
  assert.equal(closing([row('a', 0, 0, 2)]).exitCode, 1);
  assert.equal(closing([]).exitCode, 1);
});

test('the table has a line for every stage', () => {
  const lines = table([row('lint', 12, 0, 0), row('e2e', 3, 1, 0)]).split('\n');
  assert.equal(lines.length, 3);
  assert.match(lines[1], /^lint\s+passed\s+12\s+0\s+0\s+1\.2 s$/);
});
