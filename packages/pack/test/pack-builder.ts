import { deflateSync } from "node:zlib";
import { hashObject, type ObjectFormat, type ObjectType, objectIdToBytes, rawIdLength } from "@x/objects";
import { createNodeHasher } from "@x/objects/node";
import {
  ENTRY_OFS_DELTA,
  ENTRY_REF_DELTA,
  encodeBaseDistance,
  encodeEntryHeader,
  objectEntryType,
} from "../src/index.ts";

/** The bytes of `text`, one for each character. */
export function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (c) => c.charCodeAt(0));
}

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** `size` bytes that do not shrink and are the same every time. */
export function noise(size: number, seed = 1): Uint8Array {
  let state = seed;
  return new Uint8Array(size).map(() => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return state >>> 16;
  });
}

export function rawId(
  data: Uint8Array,
  type: ObjectType = "blob",
  format: ObjectFormat = "sha1",
): Uint8Array {
  return objectIdToBytes(hashObject(format, type, data));
}

/** Type and size, `stream` left as it is. */
export function entryHead(type: number, size: number): Uint8Array {
  const head = new Uint8Array(16);
  return head.subarray(0, encodeEntryHeader(head, 0, type, size));
}

export function whole(type: ObjectType, data: Uint8Array): Uint8Array {
  return concat(entryHead(objectEntryType(type), data.length), deflateSync(data));
}

/** How far back a delta's base is, as it stands behind the head of its entry. */
export function encodedDistance(distance: number): Uint8Array {
  const digits = new Uint8Array(16);
  return digits.subarray(0, encodeBaseDistance(digits, 0, distance));
}

export function ofsDelta(distance: number, delta: Uint8Array): Uint8Array {
  return concat(entryHead(ENTRY_OFS_DELTA, delta.length), encodedDistance(distance), deflateSync(delta));
}

export function refDelta(baseId: Uint8Array, delta: Uint8Array): Uint8Array {
  return concat(entryHead(ENTRY_REF_DELTA, delta.length), baseId, deflateSync(delta));
}

function deltaSize(size: number): Uint8Array {
  const digits: number[] = [];
  let rest = size;
  for (; rest >= 128; rest = Math.floor(rest / 128)) digits.push((rest % 128) | 0x80);
  return Uint8Array.from([...digits, rest]);
}

/** A delta with these sizes and instructions, whether they fit or not. */
export function delta(
  baseSize: number,
  resultSize: number,
  ...instructions: readonly Uint8Array[]
): Uint8Array {
  return concat(deltaSize(baseSize), deltaSize(resultSize), ...instructions);
}

export function copy(offset: number, size: number): Uint8Array {
  let op = 0x80;
  const rest: number[] = [];
  for (const [i, byte] of [offset, offset / 0x100, offset / 0x10000, offset / 0x1000000].entries())
    if (byte & 0xff) {
      op |= 1 << i;
      rest.push(byte & 0xff);
    }
  for (const [i, byte] of [size, size / 0x100, size / 0x10000].entries())
    if (size !== 0x10000 && byte & 0xff) {
      op |= 0x10 << i;
      rest.push(byte & 0xff);
    }
  return Uint8Array.from([op, ...rest]);
}

export function insert(data: Uint8Array): Uint8Array {
  return concat(Uint8Array.of(data.length), data);
}

/** A delta that appends `text` to a base of `baseSize` bytes, up to 64 KiB. */
export function appending(baseSize: number, text: Uint8Array): Uint8Array {
  return delta(baseSize, baseSize + text.length, copy(0, baseSize), insert(text));
}

/** How a pack departs from what it should be. */
export interface PackOddities {
  readonly format?: ObjectFormat;
  readonly signature?: string;
  readonly version?: number;
  readonly count?: number;
  readonly trailer?: Uint8Array;
  readonly after?: Uint8Array;
}

/** A pack of `entries`, with a right header and trailer unless told otherwise. */
export function packOf(entries: readonly Uint8Array[], oddities: PackOddities = {}): Uint8Array {
  const { signature = "PACK", version = 2, count = entries.length, after = new Uint8Array(0) } = oddities;
  const head = new Uint8Array(12);
  head.set(bytesOf(signature));
  const view = new DataView(head.buffer);
  view.setUint32(4, version);
  view.setUint32(8, count);
  const body = concat(head, ...entries);
  return concat(body, oddities.trailer ?? trailerOf(body, oddities.format), after);
}

/** The trailer for a pack's other bytes. */
export function trailerOf(body: Uint8Array, format: ObjectFormat = "sha1"): Uint8Array {
  const hasher = createNodeHasher(format);
  hasher.update(body);
  return hasher.digest();
}

/** `pack` with its last bytes made right again. */
export function resealed(pack: Uint8Array, format: ObjectFormat = "sha1"): Uint8Array {
  const body = pack.subarray(0, pack.length - rawIdLength(format));
  return concat(body, trailerOf(body, format));
}
