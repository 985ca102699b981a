// The gates of the iOS test build: what a copy may lack, and what Rust and Swift must call by one name.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareWithRust } from '../lib/ios-gate.mjs';
import { commandNames, differences, leaveOut } from '../lib/ios-package.mjs';

const original = `@_cdecl("run")
public func run(callback: @escaping @convention(c) (Int) -> Void) {
  let done: @convention(block) () -> Void = {}
}
@objc public class Invoke: NSObject {}
`;
const parts = [
  { text: '@_cdecl("run")\n', times: 1 },
  { text: '@convention(block) ', times: 1, unless: '@escaping ' },
  { text: '@convention(c) ', times: 0, unless: '@escaping ' },
  { text: '@objc ', times: 1 },
];

test('the copy lacks the named attributes and nothing else', () => {
  const copy = parts.reduce(leaveOut, original);
  assert.equal(
    copy,
    `public func run(callback: @escaping @convention(c) (Int) -> Void) {
  let done: () -> Void = {}
}
public class Invoke: NSObject {}
`,
  );
  assert.deepEqual(differences('Tauri.swift', original, copy, parts), []);
});

test('an attribute more or less than expected is told', () => {
  const changed = `${original}@objc public class More: NSObject {}\n`;
  const copy = parts.reduce(leaveOut, changed);
  assert.deepEqual(differences('a', changed, copy, parts), ['a: @objc was left out 2 times, not 1']);
  assert.deepEqual(differences('a', original, original, parts), [
    'a: @_cdecl("run") was left out 0 times, not 1',
    'a: @convention(block) was left out 0 times, not 1',
    'a: @objc was left out 0 times, not 1',
  ]);
});

test('any other difference is told', () => {
  const copy = parts.reduce(leaveOut, original);
  assert.match(differences('a', original, copy.replace('{}\n}', '{ }\n}'), parts)[0], /differs in: let done/);
  assert.match(
    differences('a', original, copy.replace('public class', 'class'), parts)[0],
    /differs in: @objc/,
  );
  assert.match(differences('a', original, `let more = 1\n${copy}`, parts)[0], /differs in/);
  assert.match(differences('a', original, `${copy}\nlet more = 1`, parts)[0], /more lines/);
});

test('the commands are those with @objc in the plugin file', () => {
  assert.deepEqual(commandNames(), ['get', 'set', 'delete', 'list', 'info']);
});

const header = `SWIFT_CLASS("_TtC11SecureToken17SecureTokenPlugin")
@interface SecureTokenPlugin : Plugin
- (void)get:(Invoke * _Nonnull)invoke;
- (void)set:(Invoke * _Nonnull)invoke;
@end
SWIFT_EXTERN Plugin * _Nonnull init_plugin_secure_token(void) SWIFT_NOEXCEPT;
`;
const rust = `tauri::ios_plugin_binding!(init_plugin_secure_token);
match self.call("get", payload).await? {}
self.call::<Nothing>("set", payload).await?;
`;

test('selectors and commands that agree are no problem', () => {
  assert.deepEqual(compareWithRust(header, rust), []);
});

test('a label that was forgotten changes the selector, and is told', () => {
  assert.deepEqual(compareWithRust(header.replace('get:', 'getWithInvoke:'), rust), [
    'mobile.rs calls get: and the plugin does not have it',
    'the plugin has getWithInvoke: and mobile.rs does not call it',
  ]);
});

test('an init function of another name is told', () => {
  assert.match(compareWithRust(header, rust.replace('init_plugin_secure_token', 'init'))[0], /binds init,/);
});
