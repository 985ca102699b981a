// Puts what src/session/tests/outage.rs has seen into the documentation: the curves and the table of docs/scale.md.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { draw } from './outage-curves.mjs';
import { root } from './paths.mjs';

const page = join(root, 'docs/scale.md');
const curves = join(root, 'docs/images/outage.svg');

/** What is between these is written here. */
const [BEGIN, END] = ['<!-- figures -->\n', '<!-- end of figures -->'];

/** The files that the tests write, and what they are called on the page. */
const OUTAGES = {
  refused: 'no connection',
  'retry-after': '503, Retry-After: 30',
  'until-back': '503, Retry-After: the moment of its return',
  silent: 'silent until the deadline of 60 s',
  'little-capacity': 'back with little capacity',
  minute: 'no connection for one minute',
};

/** What is drawn. */
const DRAWN = ['refused', 'retry-after', 'little-capacity'];

const percent = (part, whole) => `${((100 * part) / whole).toFixed(2)} %`;

export function writeFigures(folder) {
  const results = Object.entries(OUTAGES).map(([name, title]) => ({
    name,
    title,
    ...JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8')),
  }));
  const rows = results.map(({ title, sessions, away, perSecond, failed, recovery, signedOut, renewed }) => [
    title,
    `${sessions}`,
    percent(Math.max(...perSecond), sessions),
    percent(Math.max(...perSecond.slice(away[1])), sessions),
    (failed / sessions).toFixed(1),
    `${recovery} s`,
    `${signedOut}`,
    `${renewed}`,
  ]);
  const head = [
    'the server',
    'sessions',
    'peak, refreshes a second',
    'peak once it is back',
    'failed refreshes per session',
    'all refreshed after',
    'signed out',
    'refreshed',
  ];
  const table = [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |\n`).join('');
  const before = readFileSync(page, 'utf8');
  const [start, end] = [before.indexOf(BEGIN) + BEGIN.length, before.indexOf(END)];
  if (start < BEGIN.length || end < start) throw new Error('docs/scale.md has no place for the figures');
  writeFileSync(page, `${before.slice(0, start)}\n${table}\n${before.slice(end)}`);
  writeFileSync(curves, draw(results.filter(({ name }) => DRAWN.includes(name))));
}
