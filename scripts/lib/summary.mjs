// The closing table, the closing line and the exit code of a run.

export const noCounts = () => ({ passed: 0, failed: 0, skipped: 0 });

export function addCounts(total, more) {
  for (const key of Object.keys(total)) total[key] += more[key];
}

export const seconds = (ms) => `${(ms / 1000).toFixed(1)} s`;

export function table(rows) {
  const cells = [
    ['stage', 'result', 'passed', 'failed', 'skipped', 'time'],
    ...rows.map((row) => [
      row.name,
      row.result,
      String(row.counts.passed),
      String(row.counts.failed),
      String(row.counts.skipped),
      seconds(row.ms),
    ]),
  ];
  const widths = cells[0].map((_, column) => Math.max(...cells.map((line) => line[column].length)));
  const align = (cell, column) => (column < 2 ? cell.padEnd(widths[column]) : cell.padStart(widths[column]));
  return cells.map((line) => line.map(align).join('  ').trimEnd()).join('\n');
}

export function closing(rows) {
  const total = noCounts();
  for (const row of rows) addCounts(total, row.counts);
  const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : '';
  return {
    line: `${total.passed} passed, ${total.failed} failed${skipped}`,
    exitCode: total.failed > 0 || total.passed === 0 ? 1 : 0,
  };
}
