import type { ObjectType } from "@x/objects";
import { PackError } from "../errors.ts";

/*
 * An entry of a pack:
 *
 *   1ttt ssss  (1sss ssss)*  0sss ssss     type and inflated size, least significant bits first
 *   OFS_DELTA: 1ooo oooo … 0ooo oooo       distance back to the base, most significant first, +1 per carry
 *   REF_DELTA: 20 or 32 bytes              id of the base
 *   zlib stream                            the object's data, or the delta
 *
 * Spec: gitformat-pack, "(undeltified representation)" and "(deltified representation)".
 */

/** Entry types as the pack spells them. */
export const ENTRY_COMMIT = 1;
export const ENTRY_TREE = 2;
export const ENTRY_BLOB = 3;
export const ENTRY_TAG = 4;
export const ENTRY_OFS_DELTA = 6;
export const ENTRY_REF_DELTA = 7;

/** No header, base reference included, is longer: 10 bytes of size and 32 of id. Unit: bytes. */
export const MAX_ENTRY_HEADER_BYTES = 48;

const TYPES: readonly (ObjectType | undefined)[] = [undefined, "commit", "tree", "blob", "tag"];

/** The kind of object an entry type stands for; `undefined` for deltas and unknown types. */
export function entryObjectType(type: number): ObjectType | undefined {
  return TYPES[type];
}

/** The entry type of a whole object. */
export function objectEntryType(type: ObjectType): number {
  return TYPES.indexOf(type);
}

/** What opens an entry. */
export interface EntryHeader {
  /** 1–4, 6 or 7. */
  readonly type: number;
  /** Inflated size of what follows: the object's, or the delta's. Unit: bytes. */
  readonly size: number;
  /** OFS_DELTA: how far before this entry its base starts; otherwise 0. Unit: bytes. */
  readonly baseDistance: number;
  /** Where the zlib stream starts in `bytes`; a REF_DELTA's base id is the bytes just before. */
  readonly dataAt: number;
}

/**
 * Reads an entry's header at `at`.
 * @returns `undefined` when `bytes` stops short
 * @throws PackError `pack/malformed` on unknown types and on sizes or distances beyond 2^53
 */
export function decodeEntryHeader(bytes: Uint8Array, at: number, idLength: number): EntryHeader | undefined {
  let next = at;
  let byte = bytes[next++];
  if (byte === undefined) return undefined;
  const type = (byte >> 4) & 7;
  let size = byte & 15;
  let scale = 16; // multiplied, never shifted: shifts wrap at 2 GiB
  while (byte & 0x80) {
    byte = bytes[next++];
    if (byte === undefined) return undefined;
    size += (byte & 0x7f) * scale;
    scale *= 128;
    if (!Number.isSafeInteger(size) || next - at > 10) throw malformed("entry size exceeds 2^53 - 1", at);
  }
  if (type === ENTRY_OFS_DELTA) {
    byte = bytes[next++];
    if (byte === undefined) return undefined;
    let distance = byte & 0x7f;
    while (byte & 0x80) {
      byte = bytes[next++];
      if (byte === undefined) return undefined;
      distance = (distance + 1) * 128 + (byte & 0x7f);
      if (!Number.isSafeInteger(distance)) throw malformed("delta base offset overflows", at);
    }
    return { type, size, baseDistance: distance, dataAt: next };
  }
  if (type === ENTRY_REF_DELTA) {
    next += idLength;
    return next > bytes.length ? undefined : { type, size, baseDistance: 0, dataAt: next };
  }
  if (TYPES[type] === undefined) throw malformed(`unknown object type ${type}`, at);
  return { type, size, baseDistance: 0, dataAt: next };
}

/** Writes type and size at `at` of `into`, which has room; gives where they end. */
export function encodeEntryHeader(into: Uint8Array, at: number, type: number, size: number): number {
  let rest = Math.floor(size / 16);
  let byte = (type << 4) | (size & 15);
  while (rest > 0) {
    into[at++] = byte | 0x80;
    byte = rest % 128;
    rest = Math.floor(rest / 128);
  }
  into[at++] = byte;
  return at;
}

/** Writes an OFS_DELTA's distance at `at` of `into`, which has room; gives where it ends. */
export function encodeBaseDistance(into: Uint8Array, at: number, distance: number): number {
  const digits: number[] = [distance % 128];
  for (let rest = Math.floor(distance / 128); rest > 0; rest = Math.floor(rest / 128)) {
    rest -= 1;
    digits.push((rest % 128) | 0x80);
  }
  for (let i = digits.length - 1; i >= 0; i--) into[at++] = digits[i] as number;
  return at;
}

function malformed(message: string, offset: number): PackError {
  return new PackError("pack/malformed", message, { offset });
}
