// What the stage runner reads from the output of cargo test, vitest and node --test.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readCounts } from '../lib/counts.mjs';

test('cargo: every test binary of one run is added up', () => {
  const output = `
running 2 tests
test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s
test result: FAILED. 10 passed; 1 failed; 3 ignored; 0 measured; 0 filtered out; finished in 1.20s
`;
  assert.deepEqual(readCounts('cargo', output), { passed: 12, failed: 1, skipped: 3 });
});

test('vitest: the line of tests counts, not the line of files', () => {
  const output = `
 Test Files  1 failed | 4 passed (5)
      Tests  \u001b[31m3 failed\u001b[39m | 120 passed | 2 skipped (125)
`;
  assert.deepEqual(readCounts('vitest', output), { passed: 120, failed: 3, skipped: 2 });
});

test('node: a cancelled test has failed, in both reporters', () => {
  const spec = 'ℹ tests 6\nℹ suites 0\nℹ pass 3\nℹ fail 1\nℹ cancelled 1\nℹ skipped 1\nℹ todo 0\n';
  const expected = { passed: 3, failed: 2, skipped: 1 };
  assert.deepEqual(readCounts('node', spec), expected);
  assert.deepEqual(readCounts('node', spec.replaceAll('ℹ', '#')), expected);
});

test('xctest: the tests count, not the sums of their suites', () => {
  const output = `
Test Suite 'All tests' started at 2026-01-02 03:04:05.678
Test Case 'WriteTests.test_a' passed (0.002 seconds)
Test Case 'WriteTests.test_b' failed (0.003 seconds)
Test Case 'WriteTests.test_c' skipped (0.001 seconds)
Test Suite 'WriteTests' failed at 2026-01-02 03:04:05.690
\t Executed 3 tests, with 1 test skipped and 1 failure (0 unexpected) in 0.006 (0.006) seconds
Test Suite 'All tests' failed at 2026-01-02 03:04:05.690
\t Executed 3 tests, with 1 test skipped and 1 failure (0 unexpected) in 0.006 (0.006) seconds
`;
  assert.deepEqual(readCounts('xctest', output), { passed: 1, failed: 1, skipped: 1 });
});

test('surefire: the sums of the modules count, not those of the classes', () => {
  const output = `
[INFO] Tests run: 15, Failures: 0, Errors: 0, Skipped: 0, Time elapsed: 0.3 s -- in app.secure_token.FormatTest
[ERROR] Tests run: 6, Failures: 2, Errors: 1, Skipped: 1, Time elapsed: 0.3 s <<< FAILURE! -- in app.secure_token.DiskTest
[ERROR] Tests run: 21, Failures: 2, Errors: 1, Skipped: 1
[INFO] Tests run: 12, Failures: 0, Errors: 0, Skipped: 0
`;
  assert.deepEqual(readCounts('surefire', output), { passed: 29, failed: 3, skipped: 1 });
});

test('no test line means no tests', () => {
  for (const runner of ['cargo', 'vitest', 'node', 'xctest', 'surefire']) {
    assert.deepEqual(readCounts(runner, 'error: could not compile'), { passed: 0, failed: 0, skipped: 0 });
  }
});
