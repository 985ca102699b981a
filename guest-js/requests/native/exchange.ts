// One request that Rust sends, from its turn to the end of its response.

import { SecureTokenError } from '../../ipc/errors.js';
import { abortRequest, PIECE, type RequestHead, readBody, sendRequest } from '../../ipc/native-requests.js';
import { orAbort, reasonOf } from '../abort.js';
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
    const isWhole = upload instanceof Uint8Array && upload.length <= PIECE;
    const body = upload === undefined ? 'none' : isWhole ? 'whole' : 'stream';
    const length = body === 'stream' && upload ? lengthOf(upload) : undefined;
    const sending = this.ask(() =>
      sendRequest(
        { ...head, id, body, ...(length !== undefined && { length }) },
        isWhole ? upload : undefined,
      ),
    );
    const broken = upload && !isWhole ? this.write(sourceOf(upload)) : new Promise<never>(() => {});
    try {
      const received = await orAbort(Promise.race([sending, broken]), signal);
      this.hasHead = true;
      return makeResponse(received.head, this.bodyOf(received.head.body, received.body));
    } catch (error) {
      this.abort(error);
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
      source.send(this.id).catch(async (error) => {
        source.cancel(error);
        if (error instanceof SecureTokenError) {
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
    if (kind === 'none') {
      this.end();
      return null;
    }
    let rest: Uint8Array | undefined = first;
    let isLast = kind === 'whole';
    const { signal } = this;
    const stop = () => signal && this.fail(reasonOf(signal));
    /** Hands on what is there. Returns whether that is enough for now. */
    const hand = (controller: ReadableStreamDefaultController<Uint8Array>) => {
      if (this.isOver) return true;
      const bytes = rest;
      rest = undefined;
      if (bytes && bytes.length > 0) controller.enqueue(bytes);
      if (isLast) {
        controller.close();
        signal?.removeEventListener('abort', stop);
        this.end();
      }
      return isLast || (bytes?.length ?? 0) > 0;
    };
    return new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.fail = (error) => {
            if (this.isOver) return;
            controller.error(error);
            signal?.removeEventListener('abort', stop);
            this.abort(error);
          };
          signal?.addEventListener('abort', stop);
          if (signal?.aborted) stop();
          if (first.length === 0 && isLast) hand(controller);
        },
        pull: async (controller) => {
          try {
            while (!hand(controller)) {
              const { head, body } = await this.ask(() => readBody(this.id));
              rest = body;
              isLast = head.end;
            }
          } catch (error) {
            this.fail(failure(error));
          }
        },
        cancel: (reason) => {
          signal?.removeEventListener('abort', stop);
          this.abort(reason);
        },
      },
      // Rust is asked for bytes only when somebody reads.
      { highWaterMark: 0 },
    );
  }

  private abort(reason: unknown): void {
    if (this.isOver) return;
    this.end();
    this.source?.cancel(reason);
    this.tellRust();
  }

  private end(): void {
    this.isOver = true;
    this.endTurn();
  }

  private tellRust(): void {
    // It ends by itself with the page, should this fail.
    abortRequest(this.id).catch(() => {});
  }
}
