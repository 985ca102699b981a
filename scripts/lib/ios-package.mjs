// Puts the iOS test build together: stand-ins, tests, Tauri's own Swift sources and ours, less what needs Objective-C.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { cache, root } from './paths.mjs';
import { toolEnvironment } from './run.mjs';

/** Holds the package and, beside it, what is built from it. */
export const iosFolder = join(cache, 'ios-tests');
const packageFolder = join(iosFolder, 'package');
export const pluginFile = 'SecureTokenPlugin.swift';

/** Swift on Linux has no Objective-C: these attributes, and only these, are left out of the copies. */
const omissions = {
  'Sources/Tauri/Invoke.swift': [{ text: '@objc ', times: 1 }],
  'Sources/Tauri/Plugin/Plugin.swift': [{ text: '@objc ', times: 5 }],
  'Sources/Tauri/Tauri.swift': [
    { text: '@_cdecl("register_plugin")\n', times: 1 },
    { text: '@_cdecl("on_webview_created")\n', times: 1 },
    { text: '@_cdecl("run_plugin_command")\n', times: 1 },
    // Not those of `@escaping` parameters: they are how Rust is answered.
    { text: '@convention(block) ', times: 1, unless: '@escaping ' },
    { text: '@convention(c) ', times: 2, unless: '@escaping ' },
  ],
  [`Sources/SecureToken/${pluginFile}`]: [
    { text: '@objc ', times: 5 },
    { text: '@_cdecl("init_plugin_secure_token")\n', times: 1 },
  ],
};

/** Writes what has changed, so that a second build is short. Answers what is not as expected. */
export function makeIosPackage() {
  const problems = [];
  const wanted = new Map([
    ...filesOf(join(root, 'tests/ios')),
    ...filesOf(join(root, 'tests/fixtures'), 'fixtures'),
    ...filesOf(tauriSources(), 'Sources/Tauri'),
    ...filesOf(join(root, 'ios/Sources'), 'Sources/SecureToken'),
  ]);
  for (const [path, parts] of Object.entries(omissions)) {
    const original = wanted.get(path);
    if (original === undefined) {
      problems.push(`${path}: is not there any more`);
      continue;
    }
    const copy = parts.reduce(leaveOut, original);
    wanted.set(path, copy);
    problems.push(...differences(path, original, copy, parts));
  }
  wanted.set('Sources/SecureToken/Commands.swift', commandTable());
  update(wanted);
  return problems;
}

export function leaveOut(source, { text, unless = '' }) {
  return source
    .split(text)
    .reduce((before, after) => before + (unless && before.endsWith(unless) ? text : '') + after);
}

/** Compares the copy with the original from the outside: what is gone must be the named texts, as often as said. */
export function differences(path, original, copy, parts) {
  const before = original.split('\n');
  const after = copy.split('\n');
  const gone = new Map(parts.map(({ text }) => [text.trim(), 0]));
  let next = 0;
  for (const line of before) {
    if (line === after[next]) {
      next += 1;
    } else if (gone.has(line)) {
      gone.set(line, gone.get(line) + 1);
    } else {
      const attribute = [...gone.keys()].find((text) => line.replace(`${text} `, '') === after[next]);
      if (!attribute) return [`${path}: the copy differs in: ${line.trim()}`];
      gone.set(attribute, gone.get(attribute) + 1);
      next += 1;
    }
  }
  if (next !== after.length) return [`${path}: the copy has more lines than the original`];
  return parts
    .filter(({ text, times }) => gone.get(text.trim()) !== times)
    .map(
      ({ text, times }) =>
        `${path}: ${text.trim()} was left out ${gone.get(text.trim())} times, not ${times}`,
    );
}

/** The commands by the first words of their declarations, as Objective-C would register them. */
export function commandNames(source = readFileSync(join(root, 'ios/Sources', pluginFile), 'utf8')) {
  return [...source.matchAll(/@objc (?:public )?func (\w+)\(_ invoke: Invoke\)/g)].map((match) => match[1]);
}

function commandTable() {
  const cases = commandNames().map((name) => `    case "${name}:": { [self] in ${name}($0 as! Invoke) }`);
  return `// The commands by selector, written by scripts/lib/ios-package.mjs from the @objc lines of the plugin.
import Tauri
import UIKit

extension SecureTokenPlugin: Commands {
  func command(_ selector: String) -> ((NSObject) -> Void)? {
    switch selector {
${cases.join('\n')}
    default: nil
    }
  }
}
`;
}

/** The Swift sources in the tauri crate that Cargo has resolved for this checkout. */
function tauriSources() {
  const metadata = execFileSync('cargo', ['metadata', '--locked', '--format-version', '1'], {
    cwd: root,
    env: toolEnvironment(),
    maxBuffer: 2 ** 28,
  });
  const tauri = JSON.parse(metadata).packages.find(({ name }) => name === 'tauri');
  return join(dirname(tauri.manifest_path), 'mobile/ios-api/Sources/Tauri');
}

function filesOf(folder, prefix = '') {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(prefix, entry.name);
    if (entry.isDirectory()) return filesOf(join(folder, entry.name), path);
    return [[path, readFileSync(join(folder, entry.name), 'utf8')]];
  });
}

function update(wanted) {
  mkdirSync(packageFolder, { recursive: true });
  const present = new Map(filesOf(packageFolder));
  for (const path of present.keys()) {
    if (!wanted.has(path)) rmSync(join(packageFolder, path));
  }
  for (const [path, content] of wanted) {
    if (present.get(path) === content) continue;
    mkdirSync(dirname(join(packageFolder, path)), { recursive: true });
    writeFileSync(join(packageFolder, path), content);
  }
}
