// Checks the unchanged iOS plugin file as Objective-C will see it: its types, and the selectors that Rust calls.
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { iosFolder, pluginFile } from './ios-package.mjs';
import { withSwift } from './ios-swift.mjs';
import { root } from './paths.mjs';
import { run } from './run.mjs';

const folder = join(iosFolder, 'gate');
const header = join(folder, 'plugin.h');

/** Swift on Linux can look at such a file, but neither link nor run it: the root class is declared for it. */
const rootClass = `// The root class of Objective-C, written by scripts/lib/ios-gate.mjs.
@objc open class NSObject { public init() {} }
`;

/** Runs after the test build, whose modules it takes. Answers what is wrong. */
export async function checkObjectiveC() {
  rmSync(folder, { recursive: true, force: true });
  cpSync(join(root, 'ios/Sources'), folder, { recursive: true });
  writeFileSync(join(folder, 'NSObject.swift'), rootClass);
  writeFileSync(join(folder, 'empty.h'), '');
  const tauri = 'package/Sources/Tauri';
  const others = [
    ...swiftFiles('gate').filter((path) => path !== `gate/${pluginFile}`),
    ...swiftFiles(tauri),
    ...swiftFiles(`${tauri}/Plugin`),
  ];
  const problems = [];
  // Two modes: that of the test build, and that of ios/Package.swift.
  for (const mode of ['6', '5']) {
    const typecheck = ['-warnings-as-errors', '-primary-file', `gate/${pluginFile}`, ...others];
    if (!(await frontend(mode, typecheck)))
      problems.push(`${pluginFile} does not compile in Swift ${mode} mode`);
  }
  const copies = swiftFiles('package/Sources/SecureToken');
  if (!(await compile('-typecheck', '-swift-version', '5', '-warnings-as-errors', ...copies))) {
    problems.push('ios/Sources does not compile in Swift 5 mode');
  }
  const declarations = [
    ...['-experimental-skip-all-function-bodies', `gate/${pluginFile}`, ...others],
    ...['-import-objc-header', 'gate/empty.h', '-emit-objc-header-path', 'gate/plugin.h'],
  ];
  if (!(await frontend('5', declarations)) || !existsSync(header)) {
    return [...problems, 'the Objective-C header was not written'];
  }
  const rust = readFileSync(join(root, 'src/store/mobile.rs'), 'utf8');
  return [...problems, ...compareWithRust(readFileSync(header, 'utf8'), rust)];
}

/** Tauri calls `command:` for what Rust passes to the shim, and the init function by its C name. */
export function compareWithRust(objectiveC, rust) {
  const plugin = objectiveC.match(/^@interface SecureTokenPlugin : Plugin\n(.*?)^@end/ms)?.[1] ?? '';
  const selectors = [...plugin.matchAll(/^- \(void\)(.*?)\(Invoke \* _Nonnull\)invoke;$/gm)].map(
    ([, name]) => name,
  );
  const called = [...rust.matchAll(/\(\s*"([A-Za-z]+)"\s*,/g)].map(([, command]) => `${command}:`);
  const problems = [];
  for (const selector of new Set(called)) {
    if (!selectors.includes(selector))
      problems.push(`mobile.rs calls ${selector} and the plugin does not have it`);
  }
  for (const selector of selectors) {
    if (!called.includes(selector))
      problems.push(`the plugin has ${selector} and mobile.rs does not call it`);
  }
  const binding = rust.match(/ios_plugin_binding!\(\s*(\w+)\s*\)/)?.[1];
  if (!binding || !objectiveC.includes(` ${binding}(void)`)) {
    problems.push(`mobile.rs binds ${binding}, which is not a C function of the plugin`);
  }
  return problems;
}

const frontend = (mode, options) =>
  compile(
    ...[
      '-frontend',
      '-typecheck',
      '-parse-as-library',
      '-module-name',
      'SecureToken',
      '-swift-version',
      mode,
    ],
    ...['-enable-objc-interop', '-disable-objc-attr-requires-foundation-module', ...options],
  );

async function compile(...options) {
  const modules = ['-I', 'build/debug/Modules', '-I', 'package/Sources/os'];
  const { code } = await run(withSwift('swiftc', ...options, ...modules), { cwd: iosFolder });
  return code === 0;
}

function swiftFiles(path) {
  const names = readdirSync(join(iosFolder, path)).filter((name) => name.endsWith('.swift'));
  return names.map((name) => `${path}/${name}`);
}
