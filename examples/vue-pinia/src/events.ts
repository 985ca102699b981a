// The event log of the page: what happened and when, never a token.

import { SecureTokenError } from 'tauri-plugin-secure-token-api';
import { shallowReactive } from 'vue';
import { ApiError } from './api';

interface Event {
  id: number;
  time: string;
  text: string;
  tone: Tone;
}

type Tone = 'session' | 'api' | 'store' | 'problem';

const MOST = 100;
let last = 0;

/** Newest first. */
export const events = shallowReactive<Event[]>([]);

export function report(tone: Tone, text: string): void {
  last += 1;
  events.unshift({ id: last, time: new Date().toLocaleTimeString([], { hour12: false }), text, tone });
  events.splice(MOST);
}

/** What may be shown of an error: its code, or that there was no answer at all. */
export function describe(cause: unknown): string {
  if (cause instanceof SecureTokenError) return cause.code;
  if (cause instanceof ApiError) return cause.message;
  if (cause instanceof TypeError) return 'no answer from the server';
  return cause instanceof Error ? cause.name : 'unknown error';
}
