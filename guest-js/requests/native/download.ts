// The body of a response, as a stream that asks Rust for bytes only when somebody reads.

import type { Frame } from '../../ipc/frame.js';
import { throwIfAborted } from '../abort.js';
import { failure } from './failure.js';

/** Where the bytes come from. */
export interface Sender {
  read(): Promise<Frame<{ end: boolean }>>;
  /** Everything is here. */
  done(): void;
  /** Nobody wants the rest. */
  drop(reason: unknown): void;
}

export interface Download {
  stream: ReadableStream<Uint8Array>;
  /** Ends it with an error, unless it has ended. */
  fail(error: unknown): void;
}

/** @param first What came with the head; `isWhole`: all of it. */
export function download(
  first: Uint8Array,
  isWhole: boolean,
  signal: AbortSignal | null,
  sender: Sender,
): Download {
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  let ahead: Uint8Array | undefined = first;
  let isLast = isWhole;

  const end = () => {
    controller = undefined;
    signal?.removeEventListener('abort', abort);
  };
  function fail(error: unknown) {
    if (!controller) return;
    controller.error(error);
    end();
    sender.drop(error);
  }
  function abort() {
    try {
      throwIfAborted(signal);
    } catch (reason) {
      fail(reason);
    }
  }
  /** Hands on what is here. Returns whether that satisfies who reads. */
  function hand(): boolean {
    const bytes = ahead;
    ahead = undefined;
    if (bytes?.length) controller?.enqueue(bytes);
    if (isLast) {
      controller?.close();
      end();
    }
    return !controller || !!bytes?.length;
  }

  const stream = new ReadableStream<Uint8Array>(
    {
      start(own) {
        controller = own;
        if (isLast && first.length === 0) hand();
        signal?.addEventListener('abort', abort);
        abort();
      },
      async pull() {
        try {
          while (!hand()) {
            const { head, body } = await sender.read();
            ahead = body;
            isLast = head.end;
            if (isLast) sender.done();
          }
        } catch (error) {
          fail(failure(error));
        }
      },
      cancel(reason) {
        end();
        sender.drop(reason);
      },
    },
    { highWaterMark: 0 },
  );
  return { stream, fail };
}
