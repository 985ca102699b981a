// Reads how many tests passed, failed and were skipped from what a test runner printed.
import { stripVTControlCharacters } from 'node:util';

const sum = (text, pattern) =>
  [...text.matchAll(pattern)].reduce((total, match) => total + Number(match[1]), 0);

const count = (text, pattern) => [...text.matchAll(pattern)].length;

const readers = {
  cargo: (text) => ({
    passed: sum(text, /^test result: .*? (\d+) passed;/gm),
    failed: sum(text, /^test result: .*? (\d+) failed;/gm),
    skipped: sum(text, /^test result: .*? (\d+) ignored;/gm),
  }),
  vitest: (text) => ({
    passed: sum(text, /^\s*Tests\s.*?(\d+) passed/gm),
    failed: sum(text, /^\s*Tests\s.*?(\d+) failed/gm),
    skipped: sum(text, /^\s*Tests\s.*?(\d+) skipped/gm),
  }),
  // The spec reporter writes "ℹ pass 3", the TAP reporter "# pass 3".
  node: (text) => ({
    passed: sum(text, /^[ℹ#] pass (\d+)$/gm),
    failed: sum(text, /^[ℹ#] (?:fail|cancelled) (\d+)$/gm),
    skipped: sum(text, /^[ℹ#] (?:skipped|todo) (\d+)$/gm),
  }),
  // Every suite repeats the sums of those in it; the lines of the tests are counted instead.
  xctest: (text) => ({
    passed: count(text, /^Test Case '.*' passed \(/gm),
    failed: count(text, /^Test Case '.*' failed \(/gm),
    skipped: count(text, /^Test Case '.*' skipped \(/gm),
  }),
  // The sums of a module; those of a class go on with the time that it took.
  surefire: (text) => {
    const sums = /^\[\w+\] Tests run: (\d+), Failures: (\d+), Errors: (\d+), Skipped: (\d+)$/gm;
    const counts = { passed: 0, failed: 0, skipped: 0 };
    for (const [, ...numbers] of text.matchAll(sums)) {
      const [run, failures, errors, skipped] = numbers.map(Number);
      counts.passed += run - failures - errors - skipped;
      counts.failed += failures + errors;
      counts.skipped += skipped;
    }
    return counts;
  },
};

export function readCounts(runner, output) {
  return readers[runner](stripVTControlCharacters(output).replaceAll('\r', ''));
}
