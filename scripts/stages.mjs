// The stages of `npm test`, in order: what each needs and the steps it takes. A new platform is one more entry.
import { androidEnvironment, buildAndroidLibraries, testAndroid } from './lib/android-build.mjs';
import { checkAndroidContract } from './lib/android-contract.mjs';
import { ensureAndroidTools } from './lib/android-java.mjs';
import { checkAndroidLevels } from './lib/android-levels.mjs';
import { standInForC } from './lib/c-stand-in.mjs';
import { inspectGeneratedFiles } from './lib/generated.mjs';
import { checkObjectiveC } from './lib/ios-gate.mjs';
import { iosFolder, makeIosPackage } from './lib/ios-package.mjs';
import { ensureSwift, swiftPackage } from './lib/ios-swift.mjs';
import { appleCheckEnvironment } from './lib/ios-tools.mjs';
import { inspectCrate, inspectNpmPackage } from './lib/package-contents.mjs';
import { demoFolder, integrationTests, testFiles } from './lib/paths.mjs';
import { inspectRustVersion } from './lib/rust-version.mjs';
import {
  androidPackages,
  buildPackages,
  dialogPackages,
  iosPackages,
  keyringPackages,
  otherProviderPackages,
  sandboxPackages,
  windowPackages,
  windowsPackages,
} from './lib/system-packages.mjs';
import { inspectAddedCrates } from './lib/weight.mjs';
import { ensureWine, forWindows, windowsEnvironment, windowsTargets } from './lib/wine.mjs';

const node = process.execPath;
const plugin = ['--locked', '-p', 'tauri-plugin-secure-token'];
const desktopTargets = ['aarch64-apple-darwin', 'x86_64-pc-windows-gnu'];
const mobileTargets = ['aarch64-linux-android', 'aarch64-apple-ios'];

// A build is a means: it counts only when it fails, is done once a run, and its failure ends the stage.
// A check counts as one test. Tests are counted from what their runner (cargo, vitest, node) prints.
const build = (title, command, more) => ({ kind: 'build', title, command, ...more });
const check = (title, command, more) => ({ kind: 'check', title, command, ...more });
const inspection = (title, inspect) => ({ kind: 'check', title, inspect });
const tests = (runner, title, command, more) => ({ kind: 'tests', runner, title, command, ...more });

const buildScripts = build('build the npm package', [node, 'scripts/build-js.mjs']);
const buildPage = build('build the demo page', ['vite', 'build'], { cwd: demoFolder });
const buildDemo = build('build the demo app', [
  'cargo',
  'build',
  '--locked',
  '-p',
  'vue-pinia',
  '--features',
  'custom-protocol',
]);
export const demoBuild = [buildScripts, buildPage, buildDemo];

// The tests for a Mac are in the crate; away from one they can only be checked.
const checkedTests = (target) => (target === 'aarch64-apple-darwin' ? ['--lib', '--tests'] : []);

const linuxTests = (title, ...selection) =>
  tests('cargo', title, ['cargo', 'test', ...plugin, '--test', 'linux*', '--', ...selection]);

const withoutKeyStore = () => [
  '--lib',
  '--bins',
  ...integrationTests()
    .filter((name) => !/^(linux|windows)/.test(name))
    .flatMap((name) => ['--test', name]),
];

export const stages = [
  {
    name: 'lint',
    about: 'format, lints for every platform, licences, generated files, package contents',
    needs: {
      npm: true,
      packages: [...buildPackages, ...iosPackages],
      rust: { components: ['rustfmt', 'clippy'], targets: [...desktopTargets, ...mobileTargets] },
      cargoTools: ['cargo-deny'],
    },
    steps: [
      buildScripts,
      buildPage,
      check('Biome', ['biome', 'ci']),
      check('TypeScript', ['tsc', '--noEmit']),
      check('reference of the npm package', [node, 'scripts/api-docs.mjs', '--check']),
      check('rustfmt', ['cargo', 'fmt', '--all', '--check']),
      check('clippy: this machine', [
        'cargo',
        'clippy',
        '--locked',
        '--workspace',
        '--all-targets',
        '--',
        '-D',
        'warnings',
      ]),
      ...[...desktopTargets, ...mobileTargets].map((target) =>
        check(
          `clippy: ${target}`,
          ['cargo', 'clippy', ...plugin, ...checkedTests(target), '--target', target, '--', '-D', 'warnings'],
          { env: target.includes('-apple-') ? appleCheckEnvironment : undefined },
        ),
      ),
      check('clippy: requests that Rust sends, this machine', [
        'cargo',
        'clippy',
        ...plugin,
        '--features',
        'native',
        '--all-targets',
        '--',
        '-D',
        'warnings',
      ]),
      ...[...desktopTargets, ...mobileTargets].map((target) =>
        check(
          `clippy: requests that Rust sends, ${target}`,
          ['cargo', 'clippy', ...plugin, '--features', 'native', '--target', target, '--', '-D', 'warnings'],
          {
            env: (base) => ({
              ...(target.includes('-apple-') && appleCheckEnvironment(base)),
              ...standInForC(target),
            }),
          },
        ),
      ),
      // The targets of docs.rs, since some options exist on one of them only.
      ...['this machine', ...desktopTargets, ...mobileTargets].map((target) =>
        check(
          `Rust documentation: ${target}`,
          [
            'cargo',
            'doc',
            ...plugin,
            '--no-deps',
            ...(target.includes('-') ? ['--target', target] : ['--features', 'native']),
          ],
          {
            env: (base) => ({
              ...(target.includes('-apple-') && appleCheckEnvironment(base)),
              RUSTDOCFLAGS: '-D warnings',
            }),
          },
        ),
      ),
      check('licences, bans, sources', ['cargo-deny', '--locked', 'check', 'bans', 'licenses', 'sources']),
      inspection('the Rust version that the crate promises', inspectRustVersion),
      inspection('generated files', inspectGeneratedFiles),
      inspection('contents of the npm package', inspectNpmPackage),
      check('publint', ['publint', '--strict']),
      check('types of the npm package, as every resolver finds them', [
        'attw',
        '--pack',
        '.',
        '--format',
        'ascii',
      ]),
      inspection('contents of the crate', inspectCrate),
      inspection('crates that the plugin adds to an app', inspectAddedCrates),
      check('the published crate and its tests compile', [node, 'scripts/check-crate.mjs']),
    ],
  },
  {
    name: 'rust',
    about: 'the crate without a key store',
    needs: { packages: buildPackages, rust: {} },
    steps: [
      tests('cargo', 'unit and integration tests', () => [
        'cargo',
        'test',
        ...plugin,
        '--features',
        'native',
        ...withoutKeyStore(),
      ]),
      tests('cargo', 'which requests a window may send, against a second parser', [
        'cargo',
        'test',
        ...plugin,
        '--features',
        'native',
        '--lib',
        '--',
        '--ignored',
        'second_parser',
      ]),
      tests('cargo', 'examples in the documentation', [
        'cargo',
        'test',
        ...plugin,
        '--features',
        'native',
        '--doc',
      ]),
    ],
  },
  {
    name: 'js',
    about: 'the npm package, the demo API, the scripts',
    needs: { npm: true },
    steps: [
      buildScripts,
      tests('vitest', 'npm package', ['vitest', 'run']),
      tests('node', 'npm package as it is published', nodeTests('tests/package')),
      check('size of the npm package', [node, 'scripts/check-size.mjs']),
      check('code blocks of the documentation', [node, 'scripts/check-docs.mjs']),
      check('types of the demo page', ['vue-tsc', '--noEmit'], { cwd: demoFolder }),
      tests('node', 'demo API', nodeTests('examples/vue-pinia/api')),
      tests('node', 'scripts', nodeTests('scripts/tests')),
    ],
  },
  {
    name: 'linux',
    about:
      'the crate with gnome-keyring, KWallet and KeePassXC on private session buses, in a sandbox, without any',
    needs: {
      platform: 'linux',
      packages: [
        ...buildPackages,
        ...keyringPackages,
        ...otherProviderPackages,
        ...dialogPackages,
        ...sandboxPackages,
      ],
      rust: {},
    },
    // Each provider by itself, for its own count. The tests have their names in theirs.
    steps: [
      linuxTests('gnome-keyring', 'gnome_keyring'),
      linuxTests('KWallet', 'kwallet'),
      linuxTests('KeePassXC', 'keepassxc'),
      linuxTests(
        'what fails, another program, the secret portal, no key store',
        ...['gnome_keyring', 'kwallet', 'keepassxc'].flatMap((name) => ['--skip', name]),
      ),
    ],
  },
  {
    name: 'windows',
    about: 'the crate as a Windows program with the Credential Manager, on Windows or with Wine',
    needs: {
      packages: windowsPackages,
      rust: { components: ['clippy'], targets: windowsTargets },
      ensure: ensureWine,
    },
    steps: [
      check('clippy: what only Windows compiles, tests included', [
        'cargo',
        'clippy',
        ...plugin,
        ...forWindows,
        '--all-targets',
        '--',
        '-D',
        'warnings',
      ]),
      tests(
        'cargo',
        'the crate without a key store, the store, Credential Manager',
        () => ['cargo', 'test', ...plugin, ...forWindows, ...withoutKeyStore(), '--test', 'windows*'],
        { env: windowsEnvironment },
      ),
    ],
  },
  {
    name: 'e2e',
    about: 'the demo app in a real window with a real gnome-keyring, driven by WebDriver',
    needs: {
      platform: 'linux',
      npm: true,
      packages: [...buildPackages, ...keyringPackages, ...windowPackages],
      rust: {},
    },
    steps: [...demoBuild, tests('node', 'demo app', nodeTests('tests/e2e', '--test-concurrency=1'))],
  },
  {
    name: 'ios',
    about: 'the Keychain shim with Tauri’s own Swift sources, over stand-ins of what Linux does not have',
    needs: { platform: 'linux', rust: {}, ensure: ensureSwift },
    steps: [
      { kind: 'build', title: 'put the test build together', inspect: makeIosPackage },
      build('build the shim and its tests', () => swiftPackage('build', '--build-tests'), {
        cwd: iosFolder,
        // SwiftPM 6.0 now and then reads a null pointer before it compiles anything.
        toolCrash: /Program crashed: .* in swift-package$/ms,
      }),
      inspection('the plugin as Objective-C and Rust see it', checkObjectiveC),
      tests('xctest', 'Keychain shim', () => swiftPackage('test', '--skip-build'), { cwd: iosFolder }),
      tests('xctest', 'races, with the thread sanitizer', () => swiftPackage('test', '--sanitize=thread'), {
        cwd: iosFolder,
      }),
    ],
  },
  {
    name: 'android',
    about:
      'the Keystore shim with Tauri’s own Kotlin sources on the real framework classes of several API levels',
    needs: { packages: androidPackages, rust: {}, ensure: ensureAndroidTools },
    steps: [
      inspection('what Rust and Tauri expect of the shim', checkAndroidContract),
      { kind: 'build', title: 'build androidx and Tauri’s own Kotlin', inspect: buildAndroidLibraries },
      tests('surefire', 'Keystore shim, as it is and shrunk by R8', testAndroid, { env: androidEnvironment }),
      inspection('every API level ran every test', checkAndroidLevels),
    ],
  },
];

function nodeTests(folder, ...options) {
  return () => [node, '--test', '--test-reporter=spec', ...options, ...testFiles(folder)];
}
