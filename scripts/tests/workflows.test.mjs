// What the workflows of .github must not lose: nobody sees them fail here.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { root } from '../lib/paths.mjs';

const folder = join(root, '.github/workflows');
const workflows = readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'utf8')]);
const native = readFileSync(join(folder, 'native.yml'), 'utf8');

/** The jobs by name: what is indented below `jobs:`. */
const jobsOf = (text) =>
  text
    .slice(text.indexOf('\njobs:\n') + 7)
    .split(/^(?= {2}[\w-]+:$)/m)
    .map((job) => [job.match(/^ {2}([\w-]+):/)[1], job]);

for (const [name, text] of workflows) {
  test(`${name}: every action is pinned by its commit`, () => {
    const actions = [...text.matchAll(/uses: (.+)/g)].map(([, action]) => action);
    assert.notEqual(actions.length, 0);
    for (const action of actions) assert.match(action, /^[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
  });

  test(`${name}: it may read the repository and nothing else, and every job has a deadline`, () => {
    assert.match(text, /^permissions:\n {2}contents: read\n(?! )/m);
    assert.doesNotMatch(text, /^ +permissions:/m);
    for (const [job, lines] of jobsOf(text)) assert.match(lines, /^ {4}timeout-minutes: \d+$/m, job);
  });
}

test('native.yml: the stores of four systems, and an app for either phone', () => {
  const jobs = Object.fromEntries(jobsOf(native));
  assert.match(jobs.macos, /security default-keychain .*\n.*\n.*timeout-minutes: \d+\n.*cargo test/);
  assert.match(jobs.ios, /max_by\(\.version\)/);
  assert.match(jobs.android, /script: gradle :connectedDebugAndroidTest$/m);
  assert.match(jobs.windows, /npm run test:windows$/m);
  assert.match(jobs['android-app'], /tauri -- android build/);
  assert.match(jobs['ios-app'], /tauri -- ios build/);
});

test('android: the folder alone is set up as the tests of a device need it', () => {
  assert.match(readFileSync(join(root, 'android/gradle.properties'), 'utf8'), /^android\.useAndroidX=true$/m);
  const tests = readFileSync(join(root, 'android/src/androidTest/java/DeviceTest.kt'), 'utf8');
  assert.match(tests, /Build\.HARDWARE !in EMULATORS/);
});
