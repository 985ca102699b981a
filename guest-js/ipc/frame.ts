// Frames: how a head in JSON and bytes cross the IPC together, in one call.

import { SecureTokenError } from './errors.js';
import { invoke } from './invoke.js';

/** A frame after it was taken apart. */
export interface Frame<Head> {
  head: Head;
  body: Uint8Array;
}

/** The length of the head in bytes, big endian. */
const PREFIX = 4;

/** How many bytes become arguments of one call: engines limit their number. */
const ARGUMENTS = 0x8000;

const NOTHING = new Uint8Array(0);

/** The IPC of Android carries no raw bodies. */
const needsText = () => /Android/.test(globalThis.navigator?.userAgent);

function encode(head: object, body: Uint8Array): Uint8Array {
  const json = new TextEncoder().encode(JSON.stringify(head));
  const frame = new Uint8Array(PREFIX + json.length + body.length);
  new DataView(frame.buffer).setUint32(0, json.length);
  frame.set(json, PREFIX);
  frame.set(body, PREFIX + json.length);
  return frame;
}

function decode<Head>(frame: Uint8Array): Frame<Head> {
  const { buffer, byteOffset, byteLength } = frame;
  const length = byteLength < PREFIX ? Infinity : new DataView(buffer, byteOffset, byteLength).getUint32(0);
  if (PREFIX + length > byteLength) throw new SecureTokenError('internal', 'the frame is incomplete');
  const head = JSON.parse(new TextDecoder().decode(frame.subarray(PREFIX, PREFIX + length)));
  // A copy, since whoever reads a body may use the buffer behind its bytes.
  return { head, body: frame.slice(PREFIX + length) };
}

function toBase64(bytes: Uint8Array): string {
  let text = '';
  for (let start = 0; start < bytes.length; start += ARGUMENTS)
    text += String.fromCharCode(...bytes.subarray(start, start + ARGUMENTS));
  return btoa(text);
}

function fromBase64(text: string): Uint8Array {
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let index = 0; index < bytes.length; index++) bytes[index] = binary.charCodeAt(index);
  return bytes;
}

/**
 * Calls a command that takes a frame and returns one.
 *
 * @throws {@link SecureTokenError}
 */
export async function invokeFrame<Head>(
  command: string,
  head: object,
  body: Uint8Array = NOTHING,
): Promise<Frame<Head>> {
  const frame = encode(head, body);
  const result = await invoke<ArrayBuffer | number[] | string>(
    command,
    needsText() ? { frame: toBase64(frame) } : frame,
  );
  // A list of numbers, where a content security policy keeps the page from the protocol of the IPC.
  return decode(typeof result === 'string' ? fromBase64(result) : new Uint8Array(result));
}
