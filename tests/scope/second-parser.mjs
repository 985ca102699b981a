// Random scope entries and URLs, each with the verdict of a second implementation over Node's URL, a line of JSON each.
// `node second-parser.mjs SEED COUNT`; src/ipc/scope/requests.rs reads it and judges the same.
const [seed, count] = process.argv.slice(2).map(Number);

let state = seed >>> 0;
/** Mulberry32: a fraction below 1. */
function random() {
  state = (state + 0x6d2b79f5) >>> 0;
  let mixed = Math.imul(state ^ (state >>> 15), state | 1);
  mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
}
const below = (limit) => Math.floor(random() * limit);
const chance = (share) => random() < share;
const pick = (list) => list[below(list.length)];
const several = (most, make) => Array.from({ length: below(most + 1) }, make);

const words = [
  'v1',
  'v1',
  'admin',
  'admin',
  'me',
  'users',
  '7',
  'é',
  'a:b',
  '@me',
  'a,b',
  '(a)',
  '~',
  'x.json',
];
const oddSegments = [
  ...[
    '',
    '',
    '.',
    '..',
    '%2e',
    '%2E%2e',
    '.%2e',
    '..;',
    '..;x',
    ';',
    ';x',
    'admin;x',
    'admin;',
    'v1;a=b',
    '%3b',
    'me%3B',
  ],
  ...[
    'Admin',
    'ADMIN',
    'V1',
    '%41dmin',
    '%61dmin',
    '%76%31',
    'admin.',
    'admin..',
    'admin%20',
    'admin.%20',
    '...',
    '%20',
  ],
  ...[
    '%2f',
    '%2F',
    '%5c',
    'a%5Cb',
    'a\\b',
    '..\\',
    '%00',
    '%0d%0a',
    '%7f',
    '%c2%85',
    '%',
    '%2',
    '%zz',
    '%u002e',
    '%+1',
  ],
  ...[
    '%252e',
    '%25',
    '100%25',
    '%25zz',
    '%2561dmin',
    '%25%36%31',
    '%25u0061',
    '%c0%af',
    '%ff',
    '%e2%82',
    '%E2%82%AC',
  ],
  ...[
    'admin%3Fx',
    'admin%3f',
    'admin%23',
    '%3f',
    '%23',
    '..%3f',
    'me%23x',
    '*',
    '%2A',
    '%2a',
    'a*',
    '**',
    'İ',
    'ẞ',
    'K',
    'Σ',
    'ΑΣ',
  ],
  ...[
    '^',
    '|',
    '`',
    '{}',
    '"',
    '<>',
    "'",
    '[]',
    '+',
    '&',
    '=',
    '$',
    '!',
    '-',
    '_',
    '\u{1f511}',
    '\u2028',
    '\ufeff',
    'a b',
    '\t',
  ],
];
const hosts = ['api.example.com', 'api.example.com', 'api.example.com', 'localhost', '127.0.0.1', '[::1]'];
// Without Arabic digits: Node takes hosts of them that RFC 5893 refuses, as the url crate does.
const oddHosts = [
  ...[
    'API.Example.COM',
    'api.example.com.',
    'api.example.com..',
    'evil.com',
    'api.example.com.evil.com',
    'example.com',
    'аpi.example.com',
  ],
  ...[
    'ａｐｉ.example.com',
    'api。example。com',
    'api.example.com。',
    'api.exam\u00adple.com',
    '%61pi.example.com',
    'api%2eexample.com',
    'bücher.example',
  ],
  ...[
    'xn--bcher-kva.example',
    'faß.example',
    'xn--a.example',
    'xn--',
    'localhost.',
    'LOCALHOST',
    'localhost.evil.com',
    'evil.localhost',
    'localhos\u017f',
  ],
  ...[
    '0x7f.1',
    '2130706433',
    '0177.0.0.1',
    '127.1',
    '127.0.0.1.',
    '127.0.0.256',
    '1.2.3.4.5',
    '0',
    '0x',
    '00000',
    '128.0.0.1',
    '127.255.255.255',
  ],
  ...[
    '１２７.０.０.１',
    '①②⑦.0.0.1',
    '[::ffff:127.0.0.1]',
    '[::FFFF:7f00:1]',
    '[0:0::1]',
    '[::]',
    '[::1%25lo]',
    '[::1',
    '[]',
    '[::1].',
    '[1]',
  ],
  ...[
    '',
    '*',
    '*.example.com',
    'a..b',
    '.a',
    'a_b',
    '-a',
    'a-',
    'a b',
    'a<b',
    'a^b',
    'a|b',
    'a,b',
    "a'b",
    'a~b',
    '\u00a0',
    'a\u200db',
    '\u{1f511}.example',
  ],
];
const ports = [
  '',
  '',
  '',
  ':443',
  ':80',
  ':8443',
  ':0443',
  ':',
  ':0',
  ':65535',
  ':65536',
  ':8x',
  ':-1',
  ':*',
  ':８',
];
const accounts = ['default', 'work-1', 'work-2'];
const methods = [
  'GET',
  'GET',
  'GET',
  'POST',
  'DELETE',
  'HEAD',
  'OPTIONS',
  'PROPFIND',
  'get',
  'Post',
  'TRACE',
  'CONNECT',
  'TRACK',
  'M-SEARCH',
];
const nasty = [
  ...'/\\.%@:?#;*[]&=+ \t\r\n\0aA1é\u00ad。．\u202e\u2028\u007f\u0085',
  '%2e',
  '%2f',
  '%00',
  '//',
  '..',
  '://',
  '\u{1f511}',
];

const path = (odd) => `/${several(4, () => (chance(odd) ? pick(oddSegments) : pick(words))).join('/')}`;

function origin(odd) {
  const scheme = chance(odd)
    ? pick(['http', 'HTTPS', 'hTTp', 'ftp', 'ws', 'file', 'javascript', 'x', ''])
    : 'https';
  const separator = chance(odd / 2) ? pick([':', ':/', ':///', ':\\\\', '//', ':/\\', '']) : '://';
  const user = chance(odd / 2)
    ? pick(['@', 'user@', 'a:b@', ':@', 'api.example.com@', 'api.example.com\\@', 'a@b@', '%40@'])
    : '';
  const host = chance(odd) ? pick(oddHosts) : pick(hosts);
  const isLocal = ['localhost', '127.0.0.1', '[::1]'].includes(host);
  return `${isLocal && chance(0.7) ? 'http' : scheme}${separator}${user}${host}${chance(0.3) ? pick(ports) : ''}`;
}

function mutate(text) {
  const at = below(text.length + 1);
  return text.slice(0, at) + pick(nasty) + text.slice(at + below(2));
}

/** A URL that often is one that `near` names. */
function url(near) {
  let text;
  if (near && chance(0.7)) {
    const [, , , ...segments] = near.split('/');
    const start = near.split('/').slice(0, 3).join('/');
    const filled = segments.flatMap((segment) => {
      if (segment === '*') return several(2, () => (chance(0.2) ? pick(oddSegments) : pick(words)));
      return chance(0.08) ? [pick(oddSegments)] : [segment];
    });
    text = `${chance(0.1) ? origin(0.5) : start}/${filled.join('/')}`;
    if (chance(0.1)) text += pick(['/', ';', '%3f', '.', '%20', '/.', '/..', '//']);
  } else {
    text = origin(0.2) + path(0.15);
  }
  if (chance(0.2)) text += pick(['?', '?q=1', '?a\\b', '?..%2f', '#', '#f', '?a#b?c', '?é', '?%zz', "?'^|"]);
  while (chance(0.1)) text = mutate(text);
  return text.toWellFormed();
}

function pattern() {
  const bad = chance(0.02) ? 0.3 : 0;
  let text = origin(bad) + path(bad / 2).replace(/\/$/, '');
  text += pick(['/*', '/*', '/*', '/*/me', '/', '/admin', '']);
  if (/^[^/]*\/\/[^/]*$/.test(text) && !chance(0.05)) text += '/*';
  if (chance(0.01)) text = mutate(text);
  return text.toWellFormed();
}

function entry(share) {
  const made = {};
  if (chance(share)) made.url = pattern();
  if (made.url === undefined || chance(0.3)) made.account = pick(['*', 'default', 'work-*', 'work-1', 'w*']);
  if (made.url !== undefined && chance(0.3))
    made.methods = [...several(2, () => pick(methods.slice(0, 8))), 'GET'];
  if (chance(0.005))
    Object.assign(
      made,
      pick([
        { account: '' },
        { account: 'a*b' },
        { account: '**' },
        { methods: [] },
        { methods: ['get'] },
        { methods: ['TRACE'] },
        { methods: ['A-'] },
        { x: 1 },
        { url: 1 },
        { url: null },
      ]),
    );
  return made;
}

// The second implementation. It asks other questions of the text than src/native does: decodeURIComponent for the
// octets and for UTF-8, and regular expressions for patterns.

const refuse = (code) => {
  throw code;
};

function readUrl(text) {
  if (/[\p{Cc} ]/u.test(text) || !/^[a-z][a-z\d+.-]*:/i.test(text)) refuse('invalid-argument');
  if (!/^https?:\/\/[^/?#@%\\]+(\/[^?#\\]*)?([?#].*)?$/is.test(text)) refuse('forbidden');
  if (!URL.canParse(text)) refuse('invalid-argument');
  const parsed = new URL(text);
  parsed.hash = '';
  const { protocol, hostname } = parsed;
  const isLocal = /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
  if ((protocol !== 'https:' && !isLocal) || hostname.endsWith('.')) refuse('forbidden');
  const whole = [];
  for (const segment of parsed.pathname.slice(1).split('/')) {
    try {
      whole.push(decodeURIComponent(segment));
    } catch {
      refuse('forbidden');
    }
  }
  const joined = whole.join('/');
  if (/[\p{Cc}\\]|%[\da-f]{2}|%u/iu.test(joined) || whole.some((segment) => segment.includes('/')))
    refuse('forbidden');
  const paths = [joined, joined.split(/[?#]/)[0]];
  for (const each of paths) {
    if (/(^|\/)[. ]*(;[^/]*)?\//.test(each) || /(^|\/)([. ]+|[. ]*;[^/]*)$/.test(each)) refuse('forbidden');
  }
  return { origin: parsed.origin, href: parsed.href.replace(/#$/, ''), pathname: parsed.pathname, paths };
}

const quote = (text) => text.replaceAll(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
const fold = (path) =>
  path
    .split('/')
    .map((segment) =>
      segment
        .replace(/;.*/s, '')
        .replace(/[. ]+$/, '')
        .toLowerCase(),
    )
    .join('/')
    .replace(/\/$/, '');

function readPattern(text) {
  let read;
  try {
    read = readUrl(text);
  } catch {
    refuse('misconfigured');
  }
  const [, host, path] = text.match(/^[^/]*\/\/([^/]*)(\/.*)?$/s);
  if (path === undefined || host.includes('*') || /[?#]/.test(text)) refuse('misconfigured');
  if (/(^|\/)(\.|%2e){1,2}(\/|$)/i.test(path) || /[;?#]/.test(read.paths[0])) refuse('misconfigured');
  const raw = read.pathname.slice(1).split('/');
  if (raw.some((segment) => segment.includes('*') && segment !== '*')) refuse('misconfigured');
  const isOpen = raw.at(-1) === '*';
  const names = read.paths[0].split('/').slice(0, isOpen ? -1 : undefined);
  const source = (of) => names.map((name, index) => (raw[index] === '*' ? '[^/]+' : quote(of(name))));
  const exact = source((name) => name).join('/');
  const folded = source(fold)
    .join('/')
    .replace(/(^|\/)$/, '');
  const under = (start, more) => (start === '' ? '' : `${start}${more}`);
  const allow = isOpen ? `^${under(exact, '/')}` : `^${exact}$`;
  const deny = isOpen ? (folded === '' ? '^' : `^${folded}(/|$)`) : `^${folded}$`;
  return { origin: read.origin, allow: new RegExp(allow, 's'), deny: new RegExp(deny, 's') };
}

function readEntry({ account, url, methods, ...others }) {
  const isValid =
    Object.keys(others).length === 0 &&
    (account != null || url != null) &&
    (account == null || /^([^*]+\*?|\*)$/s.test(account)) &&
    (methods == null ||
      (url != null &&
        methods.length > 0 &&
        methods.every((name) => /^[A-Z]+(-[A-Z]+)*$/.test(name) && !/^(TRAC[EK]|CONNECT)$/.test(name)))) &&
    (url == null || typeof url === 'string');
  if (!isValid) refuse('misconfigured');
  return { account, methods, pattern: url == null ? undefined : readPattern(url) };
}

const names = (entry, account) =>
  entry.account == null || new RegExp(`^${quote(entry.account).replace(/\\\*$/, '.*')}$`, 's').test(account);

const usual = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

function judge({ allow, deny, account, method, url }) {
  const allowing = allow.map(readEntry);
  const denying = deny.map(readEntry);
  const target = readUrl(url);
  const isDenied = denying.some(
    (entry) =>
      names(entry, account) &&
      (entry.methods == null || entry.methods.includes(method)) &&
      (!entry.pattern ||
        (entry.pattern.origin === target.origin &&
          target.paths.some((path) => entry.pattern.deny.test(fold(path))))),
  );
  const isAllowed = allowing.some(
    (entry) =>
      names(entry, account) &&
      (entry.methods ?? usual).includes(method) &&
      entry.pattern?.origin === target.origin &&
      target.paths.every((path) => entry.pattern.allow.test(path)),
  );
  if (isDenied || !isAllowed || ['TRACE', 'CONNECT', 'TRACK'].includes(method)) refuse('forbidden');
  return target.href;
}

let lines = [];
for (let made = 0; made < count; made++) {
  const allow = [entry(1), ...several(2, () => entry(0.8))];
  const deny = chance(0.4) ? [entry(0.95), ...several(1, () => entry(0.95))] : [];
  const near = pick([...allow, ...deny, ...deny]).url;
  const request = {
    allow,
    deny,
    account: pick(accounts),
    method: pick(methods),
    url: url(typeof near === 'string' ? near : undefined),
  };
  let outcome;
  try {
    outcome = { verdict: 'allowed', sent: judge(request) };
  } catch (code) {
    if (typeof code !== 'string') throw code;
    outcome = { verdict: code };
  }
  lines.push(JSON.stringify({ ...request, ...outcome }));
  if (lines.length === 1000 || made + 1 === count) {
    const text = `${lines.join('\n')}\n`;
    lines = [];
    if (!process.stdout.write(text)) await new Promise((resolve) => process.stdout.once('drain', resolve));
  }
}
