// Puts the results of a simulation into the documentation: the curves and the table of docs/scale.md.

import { readFileSync, writeFileSync } from 'node:fs';
import { draw } from './draw.js';
import type { Result } from './simulate.js';

const page = new URL('../../../../docs/scale.md', import.meta.url);
const curves = new URL('../../../../docs/images/outage.svg', import.meta.url);

/** What is between these is written here. */
const [BEGIN, END] = ['<!-- figures -->\n', '<!-- end of figures -->'];

const percent = (part: number, whole: number) => `${((100 * part) / whole).toFixed(2)} %`;

export function writeFigures(results: (Result & { title: string })[]): void {
  const rows = results.map(({ title, sessions, peak, peakAfter, failed, recovery, signedOut, refreshed }) => [
    title,
    `${peak} (${percent(peak, sessions)})`,
    `${peakAfter} (${percent(peakAfter, sessions)})`,
    (failed / sessions).toFixed(1),
    `${Math.ceil(recovery)} s`,
    `${signedOut}`,
    `${refreshed}`,
  ]);
  const head = [
    'the server',
    'peak, refreshes a second',
    'peak once it is back',
    'refreshes that failed, a session',
    'all refreshed after',
    'signed out',
    'refreshed',
  ];
  const table = [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |\n`).join('');
  const before = readFileSync(page, 'utf8');
  const [start, end] = [before.indexOf(BEGIN) + BEGIN.length, before.indexOf(END)];
  if (start < BEGIN.length || end < start) throw new Error('docs/scale.md has no place for the figures');
  writeFileSync(
    page,
    `${before.slice(0, start)}\n${results[0]?.sessions ?? 0} sessions:\n\n${table}\n${before.slice(end)}`,
  );
  writeFileSync(curves, draw(results));
}
