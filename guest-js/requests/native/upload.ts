// Sends the body of a request in pieces.

import { PIECE, writeBody } from '../../ipc/native-requests.js';
import type { Upload } from './take.js';

/** Calls `write` with pieces of at most {@link PIECE} bytes. */
async function cut(bytes: Uint8Array, write: (piece: Uint8Array) => Promise<unknown>): Promise<void> {
  for (let start = 0; start < bytes.length; start += PIECE) await write(bytes.subarray(start, start + PIECE));
}

/** What is to be written, and how to end it early. */
export interface Source {
  send(id: number): Promise<void>;
  cancel(reason: unknown): void;
}

function ofStream(stream: ReadableStream<Uint8Array>): Source {
  const reader = stream.getReader();
  return {
    async send(id) {
      for (;;) {
        const { value, done } = await reader.read();
        if (done) break;
        if (!(value instanceof Uint8Array)) throw new TypeError('a chunk of the body is not a Uint8Array');
        await cut(value, (piece) => writeBody(id, piece, false));
      }
      await writeBody(id, undefined, true);
    },
    cancel: (reason) => void reader.cancel(reason).catch(() => {}),
  };
}

function ofParts({ size }: { size: number }, part: (start: number) => Promise<Uint8Array>): Source {
  let isCancelled = false;
  return {
    async send(id) {
      for (let start = 0; start < size && !isCancelled; start += PIECE)
        await writeBody(id, await part(start), start + PIECE >= size);
    },
    cancel() {
      isCancelled = true;
    },
  };
}

/** A body that is too long for one call, or of unknown length. */
export function sourceOf(upload: Upload): Source {
  if (upload instanceof Uint8Array)
    return ofParts({ size: upload.length }, async (start) => upload.subarray(start, start + PIECE));
  if (upload instanceof Blob)
    return ofParts(
      upload,
      async (start) => new Uint8Array(await new Response(upload.slice(start, start + PIECE)).arrayBuffer()),
    );
  return ofStream(upload);
}
