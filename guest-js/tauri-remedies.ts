// What to do about a call that Tauri itself refused. Loaded only then.

import { inTauri } from './errors.js';

/** What follows these marks in the address of a page may be secret, for instance after a login in a browser. */
const withoutQueries = (text: string) => text.replace(/[?#][^\s"\]]*/g, '');

const AGAIN = 'then start the app again';

/**
 * Tauri rejects with plain strings. The first that fits counts. It is quoted only where it cannot repeat an argument of the
 * call.
 */
const REMEDIES: [fits: RegExp, remedy: string, mayBeQuoted?: true][] = [
  [/^invalid args/, 'an argument is not valid'],
  [
    / Command not found$/,
    'the app does not know it: bring the crate and the npm package to the same version',
  ],
  [
    /not found$/,
    `the app lacks the plugin: run "npm run tauri add secure-token", or add .plugin(tauri_plugin_secure_token::init()) in src-tauri/src/lib.rs, ${AGAIN}`,
  ],
  [/^secure-token\.\w+ explicitly denied/, 'a capability denies it to this window', true],
  [
    /^(secure-token\.\w+|Command plugin:secure-token\|\w+) not allowed/,
    `add "secure-token:default" to the permissions of the capability of this window, in src-tauri/capabilities, ${AGAIN}`,
    true,
  ],
];

/** The sentence for the string that Tauri rejected with. */
export function remedyFor(text: string): string {
  if (!inTauri()) return 'there is no key store outside Tauri, start the app with "npm run tauri dev"';
  const [, remedy, mayBeQuoted] = REMEDIES.find(([fits]) => fits.test(text)) ?? [];
  if (!remedy) return 'Tauri refused it with a text that is not repeated, since it could show an argument';
  return mayBeQuoted ? `${remedy}. Tauri says: ${withoutQueries(text)}` : remedy;
}
