// One request that Rust sends, from its turn to the end of its response.

import { SecureTokenError } from '../../ipc/errors.js';
import { abortRequest, PIECE, type RequestHead, readBody, sendRequest } from '../../ipc/native-requests.js';
import { orAbort } from '../abort.js';
import { abandoned } from './abandoned.js';
import { download } from './download.js';
import { failure } from './failure.js';
import { makeResponse } from './response.js';
import type { Upload } from './take.js';
import type { EndTurn } from './turns.js';
import { type Source, sourceOf } from './upload.js';

/** What the exchange asks of its page: rejects what waits when the page has been left meanwhile. */
type Ask = <T>(work: () => Promise<T>) => Promise<T>;

const lengthOf = (upload: Upload) =>
  upload instanceof Uint8Array ? upload.length : upload instanceof Blob ? upload.size : undefined;

export class Exchange {
  private readonly id = Math.floor(Math.random() * Number.MAX_SAFE_INTEGER);
  private source: Source | undefined;
  private isOver = false;
  private hasHead = false;
  /** Ends the body of the response with an error. */
  private fail = (_: unknown) => {};

  constructor(
    private readonly ask: Ask,
    private readonly signal: AbortSignal | null,
    private readonly endTurn: EndTurn,
  ) {}

  /** @throws As a fetch does. */
  async send(
    head: Omit<RequestHead, 'id' | 'body' | 'length'>,
    upload: Upload | undefined,
  ): Promise<Response> {
    const { id, signal } = this;
    const whole = upload instanceof Uint8Array && upload.length <= PIECE ? upload : undefined;
    const source = whole ? undefined : upload;
    const length = source && lengthOf(source);
    const body = whole ? 'whole' : source ? 'stream' : 'none';
    const sending = this.ask(() =>
      sendRequest({ ...head, id, body, ...(length !== undefined && { length }) }, whole),
    );
    const broken = source ? this.write(sourceOf(source)) : new Promise<never>(() => {});
    try {
      const received = await orAbort(Promise.race([sending, broken]), signal);
      this.hasHead = true;
      return makeResponse(received.head, this.bodyOf(received.head.body, received.body));
    } catch (error) {
      this.drop(error);
      // The call to end it may have overtaken the request.
      sending.then(
        () => this.tellRust(),
        () => {},
      );
      throw failure(error);
    }
  }

  /** Rejects when the body of the request cannot be sent, and does not settle otherwise. */
  private write(source: Source): Promise<never> {
    this.source = source;
    return new Promise((_, reject) => {
      source.send(this.id).catch(async (cause) => {
        source.cancel(cause);
        const isKnown = cause instanceof SecureTokenError || cause instanceof TypeError;
        const error = isKnown
          ? cause
          : Object.assign(new TypeError('the body of the request failed'), { cause });
        if (cause instanceof SecureTokenError) {
          // A server may answer before it has the whole body, and a request that failed takes no more of it: what Rust says
          // of the request counts, if it says anything.
          if (this.hasHead) return;
          // Gives that the time of one more call.
          await this.ask(() => abortRequest(this.id)).catch(() => {});
        }
        reject(error);
        this.fail(failure(error));
      });
    });
  }

  private bodyOf(kind: 'none' | 'whole' | 'more', first: Uint8Array): ReadableStream<Uint8Array> | null {
    if (kind !== 'more') this.done();
    if (kind === 'none') return null;
    const { stream, fail } = download(first, kind === 'whole', this.signal, {
      read: () => this.ask(() => readBody(this.id)),
      done: () => this.done(),
      drop: (reason) => this.drop(reason),
    });
    this.fail = fail;
    if (!this.isOver) abandoned?.register(stream, { id: this.id, endTurn: this.endTurn }, this);
    return stream;
  }

  /** Rust has nothing more to say. */
  private done(): void {
    this.isOver = true;
    abandoned?.unregister(this);
    this.endTurn();
  }

  private drop(reason: unknown): void {
    this.source?.cancel(reason);
    if (this.isOver) return;
    this.done();
    this.tellRust();
  }

  private tellRust(): void {
    // It ends by itself with the page, should this fail.
    abortRequest(this.id).catch(() => {});
  }
}
