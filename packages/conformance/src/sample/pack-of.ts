import { createHasher, type ObjectFormat, objectIdToBytes } from "@x/objects";
import type { GitObject } from "./git-object.ts";
import { zlibStored } from "./zlib-stored.ts";

const TYPES = { commit: 1, tree: 2, blob: 3, tag: 4 } as const;
const REF_DELTA = 7;

/** An entry of a pack: an object, or one as a delta of another. */
export type PackPart = GitObject | { readonly object: GitObject; readonly base: GitObject };

/** A pack of these, in this order. Spec: gitformat-pack. */
export function packOf(
  format: ObjectFormat,
  parts: readonly PackPart[],
  count: number = parts.length,
): Uint8Array {
  const header = new Uint8Array(12);
  const view = new DataView(header.buffer);
  view.setUint32(0, 0x5041434b); // "PACK"
  view.setUint32(4, 2);
  view.setUint32(8, count);
  const body = joined([header, ...parts.flatMap(entryOf)]);
  return joined([body, checksumOf(format, body)]);
}

/** What ends a pack. */
export function checksumOf(format: ObjectFormat, body: Uint8Array): Uint8Array {
  const hasher = createHasher(format);
  hasher.update(body);
  return hasher.digest();
}

function entryOf(part: PackPart): Uint8Array[] {
  if (!("base" in part)) return [entryHeader(TYPES[part.type], part.data.length), zlibStored(part.data)];
  const delta = deltaOf(part.base.data, part.object.data);
  return [entryHeader(REF_DELTA, delta.length), objectIdToBytes(part.base.id), zlibStored(delta)];
}

function entryHeader(type: number, size: number): Uint8Array {
  const bytes = [(type << 4) | (size & 15)];
  for (let rest = Math.floor(size / 16); rest > 0; rest = Math.floor(rest / 128)) {
    bytes[bytes.length - 1] = (bytes.at(-1) as number) | 0x80;
    bytes.push(rest & 0x7f);
  }
  return Uint8Array.from(bytes);
}

/** Copies what both start with, and inserts the rest. Spec: gitformat-pack, "Deltified representation". */
function deltaOf(base: Uint8Array, data: Uint8Array): Uint8Array {
  let shared = 0;
  while (shared < Math.min(base.length, data.length, 0xffff) && base[shared] === data[shared]) shared++;
  const parts = [varint(base.length), varint(data.length)];
  if (shared > 0) parts.push(Uint8Array.from([0xb0, shared & 0xff, shared >> 8]));
  for (let at = shared; at < data.length; at += 127) {
    const part = data.subarray(at, at + 127);
    parts.push(Uint8Array.from([part.length]), part);
  }
  return joined(parts);
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest & 0x7f) | 0x80);
  return Uint8Array.from([...bytes, rest]);
}

export function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** `bytes` in pieces of at most `size`. */
export async function* cut(bytes: Uint8Array, size: number = bytes.length): AsyncGenerator<Uint8Array, void> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.slice(at, at + size);
}
