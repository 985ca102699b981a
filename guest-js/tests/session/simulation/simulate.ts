// An outage as many sessions live through it: the real createSession, a fake clock, a server that is away for ten minutes.
//
// Each account has an owner of its own, in memory: the one of a page without Tauri.

import type { Session, Tokens } from '../../../session/session.js';
import { chance, type Package, type Surroundings } from '../../support/realm.js';
import { Events } from './events.js';

const SECOND = 1000;
const MINUTE = 60 * SECOND;

/** How the server says that it is away, and what it does when it is back. */
export type Outage = 'offline' | '503' | '429';

export const OUTAGES: { outage: Outage; title: string }[] = [
  { outage: 'offline', title: 'no connection' },
  { outage: '503', title: '503, Retry-After: 30' },
  // To all during the outage, and at any time to what is more than 1 % of the sessions in a second.
  { outage: '429', title: '429, Retry-After: 10' },
];

export interface Result {
  outage: Outage;
  sessions: number;
  /** Refreshes that reached the server, or would have, in each second from the start. */
  perSecond: number[];
  /** The seconds at which the outage begins and ends. */
  away: [begin: number, end: number];
  /** The most refreshes in a second. */
  peak: number;
  /** The same, once the server was back. */
  peakAfter: number;
  /** Refreshes that did not bring a token. */
  failed: number;
  signedOut: number;
  /** Sessions that bought a token after the outage and hold one that is valid. */
  refreshed: number;
  /** Seconds from the end of the outage until the last of them had bought one. */
  recovery: number;
}

/** A token lives this long, so every one ends during the outage or soon after. */
const LIFETIME = 10 * MINUTE;
const BEGIN = 3 * MINUTE;
const BACK = 13 * MINUTE;
const END = 20 * MINUTE;
/** The app of each session sends a request this often, give or take a half. */
const REQUEST = 30 * SECOND;
const LATENCY = [20, 200] as const;

export async function simulate(
  load: (surroundings: Surroundings) => Package,
  sessions: number,
  outage: Outage,
): Promise<Result> {
  const events = new Events();
  const random = chance();
  const between = (low: number, high: number) => low + random() * (high - low);
  const start = events.now;
  const elapsed = () => events.now - start;
  const perSecond = Array.from({ length: END / SECOND }, () => 0);
  let failed = 0;
  /** When each session first bought a token after the outage, in milliseconds from the start. */
  const recovered = new Float64Array(sessions);

  const { createSession, keepFresh } = load({
    now: () => events.now,
    setTimeout: (run, delay = 0) => events.after(delay, run),
    clearTimeout: (timer) => events.cancel(timer),
    random,
    globals: {},
  });

  /** The auth server. */
  const refresh = (index: number): Promise<Tokens> =>
    new Promise((resolve, reject) => {
      const second = Math.floor(elapsed() / SECOND);
      const count = (perSecond[second] ?? 0) + 1;
      perSecond[second] = count;
      const isAway = elapsed() >= BEGIN && elapsed() < BACK;
      const isTooMuch = outage === '429' && count > sessions / 100;
      const latency = between(...LATENCY);
      events.after(latency, () => {
        if (isTooMuch || isAway) failed++;
        if (isTooMuch || (isAway && outage === '429')) return reject({ status: 429, retryAfter: 10 });
        if (isAway)
          return reject(outage === '503' ? { status: 503, retryAfter: 30 } : new TypeError('offline'));
        if (elapsed() >= BACK) recovered[index] ||= elapsed();
        resolve({ token: `${index}.${elapsed()}`, expiresIn: LIFETIME / SECOND });
      });
    });

  /** What createAuthFetch does around a request; the API answers 401 to a token whose time is over. */
  async function request(session: Session): Promise<void> {
    const isOver = () => (session.getSnapshot().expiresAt ?? 0) <= events.now;
    if (!isOver()) return;
    const token = await session.freshToken();
    if (token && isOver()) await session.refresh(token, { accepted: true }).catch(() => undefined);
  }

  const all = Array.from({ length: sessions }, (_, index) => {
    const account = `user-${index}`;
    const session = createSession({ account, refresh: () => refresh(index) });
    void session.login({
      token: `${index}.0`,
      refreshToken: `r${index}`,
      expiresAt: start + Math.ceil(between(1, LIFETIME)),
    });
    keepFresh(session);
    const again = () => {
      void request(session);
      events.after(REQUEST * between(0.5, 1.5), again);
    };
    events.after(between(0, REQUEST), again);
    return session;
  });

  await events.runUntil(start + END);
  const states = all.map((session) => session.getSnapshot());
  const isFresh = (index: number) => !!recovered[index] && (states[index]?.expiresAt ?? 0) > events.now;
  return {
    outage,
    sessions,
    perSecond,
    away: [BEGIN / SECOND, BACK / SECOND],
    peak: Math.max(...perSecond),
    peakAfter: Math.max(...perSecond.slice(BACK / SECOND)),
    failed,
    signedOut: states.filter(({ status }) => status !== 'signedIn').length,
    refreshed: states.filter((_, index) => isFresh(index)).length,
    recovery: recovered.reduce((last, at) => Math.max(last, at), 0) / SECOND - BACK / SECOND,
  };
}
