// What the Android shim must agree on with Rust and with Tauri: names, and the SDK that both are compiled with.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './paths.mjs';
import { tauriCrate } from './tauri-crate.mjs';

const read = (...path) => readFileSync(join(...path), 'utf8');

export function checkAndroidContract() {
  const kotlin = read(root, 'android/src/main/java/SecureTokenPlugin.kt');
  const gradle = read(root, 'android/build.gradle.kts');
  return [
    ...compareWithRust(kotlin, read(root, 'src/store/mobile.rs') + read(root, 'src/store/android_trust.rs')),
    ...compareWithTauri(gradle, read(tauriCrate(), 'mobile/android/build.gradle.kts')),
  ];
}

/** Rust finds the class by its name, and Tauri the commands by theirs. */
export function compareWithRust(kotlin, rust) {
  const commands = matches(kotlin, /@Command\s+fun (\w+)\(/g);
  const called = matches(rust, /\(\s*"([A-Za-z]+)"\s*,/g);
  const problems = [];
  for (const name of called.filter((name) => !commands.includes(name))) {
    problems.push(`mobile.rs calls ${name} and the plugin does not have it`);
  }
  for (const name of commands.filter((name) => !called.includes(name))) {
    problems.push(`the plugin has ${name} and mobile.rs does not call it`);
  }
  const [name] = matches(kotlin, /^package ([\w.]+)$/gm);
  if (!rust.includes(`PACKAGE: &str = "${name}"`))
    problems.push(`mobile.rs looks for a package other than ${name}`);
  const [className] = matches(kotlin, /^class (\w+)\(/gm);
  if (!rust.includes(`"${className}"`)) problems.push(`mobile.rs looks for a class other than ${className}`);
  return problems;
}

export function compareWithTauri(gradle, tauriGradle) {
  const [ours] = matches(gradle, /compileSdk = (\d+)/g);
  const [theirs] = matches(tauriGradle, /compileSdk = (\d+)/g);
  return ours === theirs ? [] : [`compileSdk is ${ours}, and Tauri's is ${theirs}`];
}

function matches(text, pattern) {
  return [...text.matchAll(pattern)].map(([, name]) => name);
}
