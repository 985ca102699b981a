// A stand-in for the commands of requests that Rust sends: frames over Node's fetch, against real servers. The session behind it is
// that of a further window with a createAuthFetch, so that what it attaches and repeats are not the rules of the Rust side.

import type { ResponseHead } from '../../ipc/native-requests.js';
import type { SessionOptions } from '../../session/session.js';
import { type FakeVault, rejection } from './fake-vault.js';
import { openWindow } from './windows.js';

interface Head {
  id: number;
  method: string;
  url: string;
  headers: [string, string][];
  redirect: RequestRedirect;
  body: 'none' | 'whole' | 'stream';
  length?: number;
  repeat?: boolean;
  login?: number;
}

/** What became of one request. */
interface Running {
  stop: AbortController;
  upload: ReadableStreamDefaultController<Uint8Array> | undefined;
  /** Called when the server takes more of the body. */
  taken: () => void;
  /** What is left of the response. */
  reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  /** Settles when the first bytes are there. */
  first: Promise<void> | undefined;
  /** Whether the head has gone to the page. */
  isAnswered: boolean;
  ahead: Uint8Array[];
}

interface Options {
  origins: readonly string[];
  refresh?: SessionOptions['refresh'];
  /** Where `native_sign_in` posts to. */
  signIn?: string;
}

const PIECE = 1 << 20;
const FORBIDDEN = /^(authorization|cookie|host|proxy-.*|connection|transfer-encoding|content-length)$/;

function encode(head: object, body: Uint8Array = new Uint8Array()): ArrayBuffer {
  const json = Buffer.from(JSON.stringify(head));
  const prefix = Buffer.alloc(4);
  prefix.writeUInt32BE(json.length);
  return new Uint8Array(Buffer.concat([prefix, json, body])).buffer;
}

function decode<T>(frame: Uint8Array): { head: T; body: Uint8Array } {
  const bytes = Buffer.from(frame);
  const end = 4 + bytes.readUInt32BE(0);
  return {
    head: JSON.parse(bytes.subarray(4, end).toString('utf8')),
    body: new Uint8Array(bytes.subarray(end)),
  };
}

export class NativeSide {
  /** Every call, and what it was about. */
  readonly calls: { command: string; head: Partial<Head> & Record<string, unknown>; size: number }[] = [];
  /** Requests that are not over: a real one holds a connection. */
  readonly running = new Map<number, Running>();
  /** The most that were not over at once. */
  most = 0;
  /** How many bytes of a body come with the head. */
  firstBytes = 16 * 1024;
  /** What the next calls of a command reject with. */
  readonly faults: { command: string; cause: unknown }[] = [];
  private send: Promise<typeof fetch> | undefined;

  /** Answers the page's calls from now on, beside `vault`, whose records the session has. */
  constructor(
    private readonly vault: FakeVault,
    private readonly options: Options,
  ) {
    const internals = (globalThis as unknown as { __TAURI_INTERNALS__: { invoke: Invoke } })
      .__TAURI_INTERNALS__;
    const others = internals.invoke;
    internals.invoke = async (name, args, ...rest) => {
      const command = /^plugin:secure-token\|(native_\w+)$/.exec(name)?.[1];
      return command ? this.answer(command, args) : others(name, args, ...rest);
    };
  }

  private async start(): Promise<typeof fetch> {
    const { origins, refresh } = this.options;
    const rust = await openWindow(this.vault);
    return rust.createAuthFetch(rust.createSession(refresh ? { refresh } : {}), { origins, fetch });
  }

  count(command: string): number {
    return this.calls.filter((call) => call.command === command).length;
  }

  private async answer(command: string, args: unknown): Promise<unknown> {
    const fault = this.faults.findIndex((item) => item.command === command);
    const isText = typeof args === 'object' && args !== null && 'frame' in args;
    const raw = isText
      ? Buffer.from(String(args.frame), 'base64')
      : args instanceof Uint8Array
        ? args
        : undefined;
    const { head, body } = raw
      ? decode<Head>(new Uint8Array(raw))
      : { head: JSON.parse(JSON.stringify(args)), body: new Uint8Array() };
    this.calls.push({ command, head, size: body.length });
    if (fault >= 0) throw this.faults.splice(fault, 1)[0]?.cause;
    const result = await this.act(command, head, body);
    return isText && result instanceof ArrayBuffer ? Buffer.from(result).toString('base64') : result;
  }

  private act(command: string, head: Head, body: Uint8Array): Promise<unknown> | unknown {
    switch (command) {
      case 'native_fetch':
        return this.fetch(head, body);
      case 'native_read':
        return this.read(head.id);
      case 'native_write':
        return this.write(head as never, body);
      case 'native_abort':
        this.running.get(head.id)?.stop.abort();
        this.end(head.id);
        return null;
      case 'native_sign_in':
        return this.signIn(head as never);
      case 'native_media':
        return `secure-token://localhost/${encodeURIComponent(head.url)}`;
    }
    throw `Command ${command} not found`;
  }

  private end(id: number): void {
    const running = this.running.get(id);
    this.running.delete(id);
    running?.taken();
    running?.reader?.cancel().catch(() => {});
  }

  private check(url: string): void {
    if (!this.options.origins.includes(new URL(url).origin))
      throw rejection('forbidden', 'the capability of this window allows no such request');
  }

  private async fetch(head: Head, body: Uint8Array): Promise<ArrayBuffer> {
    const { id, url } = head;
    if (this.running.has(id)) throw rejection('invalid-argument', 'the id is in use');
    this.check(url);
    for (const [name] of head.headers)
      if (FORBIDDEN.test(name)) throw rejection('forbidden', 'a page may not set this header');
    const { login, status, error } = this.vault.owner().result().snapshot;
    if (status === 'unavailable' && error) throw rejection(error.code, error.message);
    if (head.login !== undefined && head.login !== login)
      throw rejection('conflict', 'the login has changed');
    const running: Running = {
      stop: new AbortController(),
      upload: undefined,
      taken: () => {},
      reader: undefined,
      first: undefined,
      isAnswered: false,
      ahead: [],
    };
    this.running.set(id, running);
    this.most = Math.max(this.most, this.running.size);
    try {
      const { response, redirected } = await this.follow(head, body, running);
      return await this.head(id, running, response, redirected);
    } catch (error) {
      this.end(id);
      const { name, code, message } = error as { name: string; code?: unknown; message: string };
      if (running.stop.signal.aborted || name === 'AbortError') throw rejection('conflict', 'aborted');
      if (typeof code === 'string' && 'retryable' in (error as object))
        throw rejection(code as never, message);
      throw rejection('unavailable', 'the server was not reached');
    }
  }

  private async follow(head: Head, whole: Uint8Array, running: Running) {
    const { redirect, repeat } = head;
    let { method, url } = head;
    let body: BodyInit | undefined;
    if (head.body === 'whole') body = whole as Uint8Array<ArrayBuffer>;
    if (head.body === 'stream') body = this.uploadOf(running);
    let headers = head.headers;
    for (let hop = 0; hop <= 20; hop++) {
      this.send ??= this.start();
      const response = await (await this.send)(url, {
        method,
        headers,
        redirect: 'manual',
        signal: running.stop.signal,
        ...(body !== undefined && { body, duplex: 'half' }),
        ...(repeat !== undefined && { repeat }),
      } as RequestInit);
      const location = response.headers.get('location');
      const isRedirect = /^30[12378]$/.test(`${response.status}`) && location !== null;
      if (!isRedirect || redirect === 'manual') return { response, redirected: hop > 0 };
      if (redirect === 'error') throw new TypeError('redirect');
      await response.body?.cancel();
      url = new URL(location, url).href;
      this.check(url);
      const { status } = response;
      if (status === 303 ? !/^(GET|HEAD)$/.test(method) : status < 303 && method === 'POST') {
        method = 'GET';
        body = undefined;
        headers = headers.filter(([name]) => !name.startsWith('content-'));
      } else if (head.body === 'stream') throw new TypeError('a stream cannot be sent again');
    }
    throw new TypeError('too many redirects');
  }

  private uploadOf(running: Running): ReadableStream<Uint8Array> {
    return new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          running.upload = controller;
        },
        pull: () => running.taken(),
      },
      { highWaterMark: 0 },
    );
  }

  private async head(id: number, running: Running, response: Response, redirected: boolean) {
    const { status, statusText, body } = response;
    const isRedirect = /^30[12378]$/.test(`${status}`) && response.headers.has('location');
    const head: ResponseHead = {
      status,
      statusText,
      headers: [...response.headers].filter(([name]) => name !== 'set-cookie'),
      url: response.url.replace(/#.*/, ''),
      redirected,
      type: isRedirect ? 'opaqueredirect' : 'default',
      body: body && !isRedirect ? 'more' : 'none',
    };
    if (head.body === 'none' || !body) {
      this.end(id);
      return encode(head);
    }
    const reader = body.getReader();
    running.reader = reader;
    // What is there already goes along; nobody waits long for more.
    running.first = this.readAhead(running, head);
    if (this.firstBytes > 0)
      await Promise.race([running.first.catch(() => {}), new Promise((resolve) => setTimeout(resolve, 20))]);
    running.isAnswered = true;
    const size = running.ahead.reduce((sum, { length }) => sum + length, 0);
    const first = size <= this.firstBytes ? Buffer.concat(running.ahead.splice(0)) : undefined;
    if (head.body === 'whole') this.end(id);
    return encode(head, first);
  }

  /** Reads a short body to its end, and a bit of a long one. */
  private async readAhead(running: Running, head: ResponseHead): Promise<void> {
    const { reader, ahead } = running;
    for (let size = 0; reader && !running.isAnswered && size <= this.firstBytes; ) {
      const { value, done } = await reader.read();
      if (done) {
        head.body = 'whole';
        return;
      }
      size += value.length;
      ahead.push(value);
    }
  }

  private async read(id: number): Promise<ArrayBuffer> {
    const running = this.running.get(id);
    if (!running?.reader) throw rejection('invalid-argument', 'there is no such request');
    try {
      await running.first;
      let chunk = running.ahead.shift();
      if (!chunk) {
        const { value, done } = await running.reader.read();
        if (done) {
          this.end(id);
          return encode({ end: true });
        }
        chunk = value;
      }
      if (chunk.length > PIECE) running.ahead.unshift(chunk.subarray(PIECE));
      return encode({ end: false }, chunk.subarray(0, PIECE));
    } catch {
      this.end(id);
      throw rejection('unavailable', 'the connection has ended early');
    }
  }

  private async write({ id, end }: { id: number; end: boolean }, body: Uint8Array): Promise<ArrayBuffer> {
    const running = this.running.get(id);
    if (!running?.upload) throw rejection('invalid-argument', 'there is no such request');
    if (body.length > PIECE) throw rejection('invalid-argument', 'a piece is too long');
    const taken = new Promise<void>((resolve) => {
      running.taken = resolve;
    });
    try {
      if (body.length > 0) running.upload.enqueue(body);
      if (end) running.upload.close();
      else if (running.upload.desiredSize !== null && running.upload.desiredSize < 0) await taken;
    } catch {
      throw rejection('unavailable', 'the server takes no more');
    }
    if (!this.running.has(id)) throw rejection('conflict', 'aborted');
    return encode({});
  }

  private async signIn({ body, remember }: { body: unknown; remember?: boolean }): Promise<object> {
    const { signIn = '' } = this.options;
    let response: Response;
    try {
      response = await fetch(signIn, { method: 'POST', body: JSON.stringify(body) });
    } catch {
      throw rejection('unavailable', 'the server was not reached');
    }
    const { ok, status } = response;
    const { token, refreshToken, ...rest } = await response.json().catch(() => ({}));
    if (ok) await this.vault.owner().signIn({ token, refreshToken, remember });
    return { ok, status, body: rest, snapshot: this.vault.owner().result().snapshot };
  }
}

type Invoke = (name: string, args: unknown, ...rest: unknown[]) => Promise<unknown>;
