// The gates of the Android test build: the JDKs that decide on the API levels, and that every level ran every test.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareWithRust, compareWithTauri } from '../lib/android-contract.mjs';
import { androidJdks } from '../lib/android-java.mjs';
import { levelProblems, testNames } from '../lib/android-levels.mjs';

test('the newest usable JDK runs the tests, and one that R8 can read builds', () => {
  const jdks = [17, 25, 26].map((version) => ({ home: `/jdk-${version}`, version }));
  assert.deepEqual(androidJdks(jdks), {
    home: '/jdk-17',
    java: '/jdk-25/bin/java',
    levels: [24, 28, 35, 36],
  });
});

test('without Java 21 there is no API 36', () => {
  assert.deepEqual(androidJdks([{ home: '/jdk-17', version: 17 }]).levels, [24, 28, 35]);
});

test('a JDK that is too old or too new to build with is a missing one', () => {
  for (const version of [11, 25]) {
    assert.throws(() => androidJdks([{ home: '/jdk', version }]), /A JDK 17 to 21 is missing/);
  }
});

const report = `<testsuite>
  <testcase name="a value goes round[24]" classname="BridgeTest" time="0.1"/>
  <testcase name="a value goes round[28]" classname="BridgeTest" time="0.1">
    <system-out>text</system-out>
  </testcase>
  <testcase name="left out[28]" classname="BridgeTest" time="0"><skipped/></testcase>
</testsuite>`;

test('the tests that ran are read from a report', () => {
  assert.deepEqual(testNames(report), [
    'BridgeTest.a value goes round[24]',
    'BridgeTest.a value goes round[28]',
  ]);
});

test('every level ran every test', () => {
  const names = testNames(report);
  assert.deepEqual(levelProblems('plugin', names, [24, 28], 1), []);
  assert.deepEqual(levelProblems('plugin', names, [24, 35], 1), [
    'plugin: API 35 did not run BridgeTest.a value goes round',
  ]);
  assert.equal(levelProblems('plugin', names, [24, 28], 60).length, 1);
  assert.equal(levelProblems('plugin', [], [24, 28], 1).length, 1);
});

const kotlin =
  'package app.example\n\nclass Plugin(activity: Activity) {\n  @Command\n  fun get(invoke: Invoke)\n}\n';
const rust = 'const PACKAGE: &str = "app.example"; register(PACKAGE, "Plugin"); self.call("get", payload)';

test('the plugin has the names that Rust looks for', () => {
  assert.deepEqual(compareWithRust(kotlin, rust), []);
  assert.equal(compareWithRust(kotlin.replace('get', 'read'), rust).length, 2);
  assert.equal(compareWithRust(kotlin.replace('app.example', 'app.other'), rust).length, 1);
  assert.equal(compareWithRust(kotlin.replace('class Plugin', 'class Other'), rust).length, 1);
});

test('the SDK is that of Tauri', () => {
  assert.deepEqual(compareWithTauri('compileSdk = 36', 'compileSdk = 36'), []);
  assert.equal(compareWithTauri('compileSdk = 36', 'compileSdk = 37').length, 1);
});
