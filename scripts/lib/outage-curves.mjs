// Draws the refreshes a second of several outages over time, as an SVG that needs no program to read.

const WIDTH = 760;
const HEIGHT = 330;
const LEFT = 52;
const RIGHT = 16;
const TOP = 40;
const BOTTOM = 44;
/** Colours that people who see few colours can tell apart (Okabe and Ito, 2008). */
const COLOURS = ['#0072b2', '#d55e00', '#009e73'];
/** Of this many seconds the highest is drawn. */
const STEP = 15;
/** What must not be reached, in percent of the sessions. */
const LIMIT = 3;

export function draw(results) {
  const seconds = Math.max(...results.map(({ perSecond }) => perSecond.length));
  const x = (second) => LEFT + (second / seconds) * (WIDTH - LEFT - RIGHT);
  const y = (percent) => HEIGHT - BOTTOM - (percent / (LIMIT + 0.5)) * (HEIGHT - TOP - BOTTOM);
  const text = (at, words, more = '') =>
    `<text x="${at[0].toFixed(1)}" y="${at[1].toFixed(1)}" ${more}>${words}</text>`;
  const line = (from, to, more) =>
    `<path d="M${from.map((n) => n.toFixed(1))}L${to.map((n) => n.toFixed(1))}" ${more}/>`;
  const [begin, end] = results[0].away;

  const curves = results.map(({ perSecond, sessions }, index) => {
    const points = Array.from({ length: Math.floor(perSecond.length / STEP) }, (_, step) => {
      const highest = Math.max(...perSecond.slice(step * STEP, (step + 1) * STEP));
      return `${x(step * STEP).toFixed(0)},${y((100 * highest) / sessions).toFixed(1)}`;
    });
    return `<polyline points="${points.join(' ')}" fill="none" stroke="${COLOURS[index]}" stroke-width="1.2"/>`;
  });
  const keys = results.map(({ title }, index) => {
    const at = LEFT + index * 170;
    const key = line([at, 22], [at + 18, 22], `stroke="${COLOURS[index]}" stroke-width="3"`);
    return key + text([at + 24, 26], title);
  });
  const percents = Array.from({ length: LIMIT + 1 }, (_, percent) =>
    [
      line([LEFT, y(percent)], [WIDTH - RIGHT, y(percent)], 'stroke="#ddd"'),
      text([LEFT - 8, y(percent) + 4], `${percent} %`, 'text-anchor="end"'),
    ].join(''),
  );
  const minutes = Array.from({ length: Math.floor(seconds / 600) + 1 }, (_, ten) => ten * 10);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12" fill="#333">`,
    `<title>Refreshes a second, in percent of the sessions</title>`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    `<rect x="${x(begin).toFixed(1)}" y="${TOP}" width="${(x(end) - x(begin)).toFixed(1)}" height="${HEIGHT - TOP - BOTTOM}" fill="#f3f3f3"/>`,
    text([(x(begin) + x(end)) / 2, TOP + 16], 'no server', 'text-anchor="middle" fill="#777"'),
    ...percents,
    line([LEFT, y(LIMIT)], [WIDTH - RIGHT, y(LIMIT)], 'stroke="#c00" stroke-dasharray="6 4"'),
    ...curves,
    ...keys,
    ...minutes.map((minute) =>
      text([x(minute * 60), HEIGHT - BOTTOM + 18], `${minute}`, 'text-anchor="middle"'),
    ),
    text([(LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8], 'minutes', 'text-anchor="middle"'),
    '</svg>',
    '',
  ].join('\n');
}
