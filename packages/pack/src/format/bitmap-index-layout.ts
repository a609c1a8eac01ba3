import { rawIdLength } from "@x/objects";
import { PackError } from "../errors.ts";
import type { ByteSource } from "./byte-source.ts";
import { EWAH_HEAD_BYTES, ewahLength } from "./ewah.ts";
import type { PackIndex } from "./pack-index.ts";

/*
 *   BITM, u16 version 1, u16 flags, u32 entries, checksum of the pack
 *   4 bitmaps: which objects are commits, trees, blobs, tags
 *   entries × (u32 position of the commit in the pack's index, u8 how many entries before lies the one it is a difference
 *              to, or 0, u8 flags, bitmap of what the commit reaches)
 *   if flagged 0x20: pseudo-merges, which end with u64 their own length
 *   if flagged 0x10: entries × (u32 position of the commit, u64 where its entry starts, u32 row of the one it is a
 *              difference to, or 0xffffffff), by position
 *   if flagged 0x4:  u32 for each object: the sum of a path it lies at
 *   checksum
 *
 * Bit n of a bitmap stands for the object that lies n-th in the pack. Spec: gitformat-bitmap.
 */

const HEADER_BYTES = 12;
const ENTRY_HEAD_BYTES = 6;
const ROW_BYTES = 16;
const NO_ROW = 0xffffffff;
/** The largest distance to the entry that another is a difference to. */
const MAX_DISTANCE = 160;

const FULL_CLOSURE = 0x1;
const PATH_SUMS = 0x4;
const LOOKUP_TABLE = 0x10;
const PSEUDO_MERGES = 0x20;

/** Where a bitmap starts and how long it is. Unit: bytes. */
export interface BitmapPlace {
  readonly at: number;
  readonly length: number;
}

/** Where everything lies in a bitmap file. */
export interface BitmapLayout {
  /** Of commits, trees, blobs and tags. */
  readonly types: readonly BitmapPlace[];
  /** Of each entry: where it starts. Unit: bytes. */
  readonly starts: Float64Array;
  /** Of each entry: the one it is a difference to; -1 for none. */
  readonly bases: Int32Array;
  /** Position of a commit in the pack's index → its entry. */
  readonly entries: ReadonlyMap<number, number>;
  /** Where the entries end, which no bitmap reaches beyond. Unit: bytes. */
  readonly entriesEnd: number;
}

/** Reads a bitmap file but for the bitmaps. @throws PackError `pack/bad-index` when it contradicts itself or the pack */
export function readBitmapLayout(source: ByteSource, index: PackIndex): BitmapLayout {
  const idLength = rawIdLength(index.format);
  const head = readBytes(source, 0, HEADER_BYTES + idLength);
  const view = viewOf(head);
  if (view.getUint32(0) !== 0x4249544d || view.getUint16(4) !== 1) throw bad("is of an unknown kind");
  const flags = view.getUint16(6);
  const known = FULL_CLOSURE | PATH_SUMS | LOOKUP_TABLE | PSEUDO_MERGES;
  if ((flags & FULL_CLOSURE) === 0 || flags & ~known) throw bad("has flags that are not known");
  if (!index.packChecksum.every((byte, i) => byte === head[HEADER_BYTES + i]))
    throw bad("belongs to another pack");
  const count = view.getUint32(8);

  let end = source.size - idLength;
  if (flags & PATH_SUMS) end -= index.count * 4;
  const tableEnd = end;
  if (flags & LOOKUP_TABLE) end -= count * ROW_BYTES;
  const tableAt = end;
  if (flags & PSEUDO_MERGES) end -= readLength(source, end - 8);
  if (end < head.length) throw bad("stops short");

  const types: BitmapPlace[] = [];
  let at = head.length;
  for (let type = 0; type < 4; type++) {
    const place = placeOfBitmap(source, at, end);
    types.push(place);
    at += place.length;
  }
  const entries =
    flags & LOOKUP_TABLE
      ? readTable(readBytes(source, tableAt, tableEnd - tableAt), at, end, index.count)
      : scanEntries(source, at, end, count, index.count);
  return { ...entries, types, entriesEnd: end };
}

type Entries = Pick<BitmapLayout, "starts" | "bases" | "entries">;

/** Goes from entry to entry. */
function scanEntries(
  source: ByteSource,
  first: number,
  end: number,
  count: number,
  objects: number,
): Entries {
  const least = ENTRY_HEAD_BYTES + EWAH_HEAD_BYTES;
  if (first + count * least > end) throw bad("stops short");
  const starts = new Float64Array(count);
  const bases = new Int32Array(count).fill(-1);
  const entries = new Map<number, number>();
  let at = first;
  for (let entry = 0; entry < count; entry++) {
    const head = viewOf(readBytes(source, at, ENTRY_HEAD_BYTES));
    addEntry(entries, head.getUint32(0), entry, objects);
    const distance = head.getUint8(4);
    if (distance > Math.min(entry, MAX_DISTANCE)) throw bad("has an entry that is a difference to none");
    if (distance > 0) bases[entry] = entry - distance;
    starts[entry] = at;
    at += ENTRY_HEAD_BYTES + placeOfBitmap(source, at + ENTRY_HEAD_BYTES, end).length;
  }
  return { starts, bases, entries };
}

function readTable(table: Uint8Array, first: number, end: number, objects: number): Entries {
  const view = viewOf(table);
  const count = table.length / ROW_BYTES;
  const starts = new Float64Array(count);
  const bases = new Int32Array(count).fill(-1);
  const entries = new Map<number, number>();
  for (let entry = 0; entry < count; entry++) {
    const row = entry * ROW_BYTES;
    addEntry(entries, view.getUint32(row), entry, objects);
    const start = view.getUint32(row + 4) * 2 ** 32 + view.getUint32(row + 8);
    if (start < first || start >= end) throw bad("has an entry outside of it");
    starts[entry] = start;
    const base = view.getUint32(row + 12);
    if (base !== NO_ROW && base >= count) throw bad("has an entry that is a difference to none");
    if (base !== NO_ROW) bases[entry] = base;
  }
  return { starts, bases, entries };
}

function addEntry(entries: Map<number, number>, position: number, entry: number, objects: number): void {
  if (position >= objects) throw bad("has an entry for an object that is not in the pack");
  if (entries.has(position)) throw bad("has two entries for a commit");
  entries.set(position, entry);
}

/** The bitmap of the entry that starts at `start`. @throws PackError `pack/bad-index` when it does not end by `end` */
export function placeOfEntry(source: ByteSource, start: number, end: number): BitmapPlace {
  return placeOfBitmap(source, start + ENTRY_HEAD_BYTES, end);
}

function placeOfBitmap(source: ByteSource, at: number, end: number): BitmapPlace {
  if (at + EWAH_HEAD_BYTES > end) throw bad("stops short");
  const length = ewahLength(viewOf(readBytes(source, at, EWAH_HEAD_BYTES)));
  if (at + length > end) throw bad("stops short");
  return { at, length };
}

function readLength(source: ByteSource, at: number): number {
  const view = viewOf(readBytes(source, at, 8));
  return view.getUint32(0) * 2 ** 32 + view.getUint32(4);
}

/** @throws PackError `pack/bad-index` when there are not so many, before memory is taken for them */
export function readBytes(source: ByteSource, at: number, length: number): Uint8Array {
  if (at < 0 || at + length > source.size) throw bad("stops short");
  const bytes = new Uint8Array(length);
  if (source.read(at, bytes) < length) throw bad("has become shorter");
  return bytes;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function bad(what: string): PackError {
  return new PackError("pack/bad-index", `the bitmap file ${what}`);
}
