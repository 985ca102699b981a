// What a call means that Tauri itself refused, and what to do about it. Loaded only then.

import type { ErrorCode } from './errors.js';

/** What follows these marks in the address of a page may be secret, for instance after a login in a browser. */
const withoutQueries = (text: string) => text.replace(/[?#][^\s"\]]*/g, '');

const AGAIN = 'then start the app again';

/**
 * Tauri rejects with plain strings. The first that fits counts. It is quoted only where it cannot repeat an argument of the
 * call.
 */
const REFUSALS: [fits: RegExp, code: ErrorCode, remedy: string, mayBeQuoted?: true][] = [
  [/^invalid args/, 'invalid-argument', 'an argument is not valid'],
  [
    /^Command native_\w+ not found$/,
    'misconfigured',
    'the app was built without native requests: add features = ["native"] to tauri-plugin-secure-token in src-tauri/Cargo.toml',
  ],
  [
    / Command not found$/,
    'misconfigured',
    'the app does not know it: bring the crate and the npm package to the same version',
  ],
  [
    /not found$/,
    'misconfigured',
    `the app lacks the plugin: run "npm run tauri add secure-token", or add .plugin(tauri_plugin_secure_token::init()) in src-tauri/src/lib.rs, ${AGAIN}`,
  ],
  [
    /^(secure-token\.native_\w+|Command plugin:secure-token\|native_\w+) not allowed/,
    'forbidden',
    `add "secure-token:native" to the permissions of the capability of this window, in src-tauri/capabilities, ${AGAIN}`,
    true,
  ],
  [/^secure-token\.\w+ explicitly denied/, 'forbidden', 'a capability denies it to this window', true],
  [
    /^(secure-token\.\w+|Command plugin:secure-token\|\w+) not allowed/,
    'forbidden',
    `add "secure-token:default" to the permissions of the capability of this window, in src-tauri/capabilities, ${AGAIN}`,
    true,
  ],
];

/** The code and the sentence for what Tauri rejected with. */
export function explainRefusal(cause: unknown): [ErrorCode, string] {
  const text = typeof cause === 'string' ? cause : '';
  const refusal = REFUSALS.find(([fits]) => fits.test(text));
  if (!refusal)
    return ['internal', 'Tauri refused it with a text that is not repeated, since it could show an argument'];
  const [, code, remedy, mayBeQuoted] = refusal;
  return [code, mayBeQuoted ? `${remedy}. Tauri says: ${withoutQueries(text)}` : remedy];
}
