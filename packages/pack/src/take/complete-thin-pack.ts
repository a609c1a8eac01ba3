import type { Crc32, ObjectType } from "@x/objects";
import { PackError } from "../errors.ts";
import type { ByteSource } from "../format/byte-source.ts";
import { encodeEntryHeader, objectEntryType } from "../format/entry-header.ts";
import { compareIds, sortIds } from "../format/sort-ids.ts";
import type { ZlibCodec } from "../format/zlib-codec.ts";
import type { PackReader } from "../read/pack-reader.ts";
import type { Spill } from "../read/spill-room.ts";
import { appendLarge } from "./append-large.ts";
import { type EntryTable, NO_BASE } from "./entry-table.ts";

/** A base that a thin pack lacks. */
export type ExternalBase = HeldBase | LargeBase;

interface HeldBase {
  readonly type: ObjectType;
  readonly data: Uint8Array;
}

/** One that is too large to be held. */
export interface LargeBase {
  readonly type: ObjectType;
  /** Unit: bytes. */
  readonly size: number;
  /** Sets its data aside, to be discarded by whoever gets it. Yields now and then. */
  spill(): Generator<void, Spill>;
  /** Where it lies, if it lies in a pack. */
  readonly place?: { readonly pack: PackReader; readonly offset: number } | undefined;
}

/** Unit: bytes. */
export function baseSize(base: ExternalBase): number {
  return "data" in base ? base.data.length : base.size;
}

/**
 * Finds the object with this raw id, a view that holds during the call, outside the pack. It is asked again for the same
 * one when that is needed again. What it gives is taken to be that object.
 */
export type FindBase = (rawId: Uint8Array) => ExternalBase | undefined;

/** The sink of a pack that is being taken in. */
export interface PackSink {
  /** Takes the next bytes of the pack; `bytes` is a view that holds during the call. */
  append(bytes: Uint8Array): void;
  /** Overwrites bytes that were appended before. */
  patch(offset: number, bytes: Uint8Array): void;
}

/**
 * Drops the rows from `received` on, which stand for bases from elsewhere, whose objects turned out to come with the
 * pack: a pack must not hold an object twice, or a reader that looks for a base by its id may find the delta it started
 * from.
 * @returns the rows that are left in the order of their ids
 * @throws PackError `pack/malformed` for objects that the pack itself has twice
 */
export function dropDuplicates(
  entries: EntryTable,
  received: number,
  hex: (row: number) => string,
): Uint32Array {
  const { idLength } = entries;
  const order = sortIds(entries.ids, entries.count, idLength);
  const twins = new Map<number, number>();
  for (let i = 1; i < order.length; i++) {
    const row = order[i - 1] as number;
    const twin = order[i] as number;
    if (compareIds(entries.ids, row * idLength, entries.ids, twin * idLength, idLength) !== 0) continue;
    if (twin < received)
      throw new PackError("pack/malformed", `the same object ${hex(row)} appears twice in the pack`, {
        id: hex(row),
      });
    twins.set(twin, row);
  }
  if (twins.size === 0) return order;
  checkRooted(entries, twins);
  let kept = received;
  for (let row = received; row < entries.count; row++) if (!twins.has(row)) entries.move(row, kept++);
  entries.count = kept;
  return sortIds(entries.ids, kept, idLength);
}

/** Without the bases in `twins`, each delta still has to go back to a whole object. @throws PackError `pack/malformed` */
function checkRooted(entries: EntryTable, twins: ReadonlyMap<number, number>): void {
  // 0 unknown, otherwise the number of the walk that came by.
  const walks = new Uint32Array(entries.count);
  for (let start = 0; start < entries.count; start++) {
    const walk = start + 1;
    for (let row = start; row !== NO_BASE && walks[row] === 0; ) {
      walks[row] = walk;
      row = twins.get(row) ?? (entries.bases[row] as number);
      if (row !== NO_BASE && walks[row] === walk)
        throw new PackError("pack/malformed", "pack has deltas that are each other's bases");
    }
  }
}

/** What {@link appendBases} works with. */
export interface CompletionTools {
  readonly codec: ZlibCodec;
  readonly crc32: Crc32;
  readonly sink: PackSink;
  readonly findBase: FindBase;
}

/** The base in `row`, which was there before. @throws PackError `pack/missing-base` when it is gone */
export function presentBase(entries: EntryTable, row: number, findBase: FindBase): ExternalBase {
  const base = findBase(entries.id(row));
  if (base === undefined) throw new PackError("pack/missing-base", "a delta's base is gone");
  return base;
}

/**
 * Appends the rows from `received` on as whole entries behind `end`. Yields after each.
 * @returns where the last one ends @throws PackError `pack/missing-base` when one is gone
 */
export function* appendBases(
  entries: EntryTable,
  received: number,
  end: number,
  tools: CompletionTools,
): Generator<void, number> {
  const header = new Uint8Array(16);
  let at = end;
  for (let row = received; row < entries.count; row++) {
    const base = presentBase(entries, row, tools.findBase);
    const size = encodeEntryHeader(header, 0, objectEntryType(base.type), baseSize(base));
    entries.offsets[row] = at;
    let crc = 0;
    const append = (bytes: Uint8Array): void => {
      crc = tools.crc32(bytes, crc);
      tools.sink.append(bytes);
      at += bytes.length;
    };
    append(header.subarray(0, size));
    if ("data" in base) append(tools.codec.deflate(base.data));
    else yield* appendLarge(base, tools.codec, append);
    entries.crcs[row] = crc;
    yield;
  }
  return at;
}

const PIECE_BYTES = 256 * 1024;

/** Hands the first `end` bytes of `source` to `take`, in pieces. Yields after each. */
export function* readThrough(
  source: ByteSource,
  end: number,
  take: (piece: Uint8Array) => void,
): Generator<void, void> {
  const buffer = new Uint8Array(Math.min(PIECE_BYTES, end));
  for (let at = 0; at < end; ) {
    const read = source.read(at, buffer.subarray(0, Math.min(buffer.length, end - at)));
    if (read === 0)
      throw new PackError("pack/truncated", "the pack that was stored is shorter than what was received");
    take(buffer.subarray(0, read));
    at += read;
    yield;
  }
}

/** The four bytes of a pack's header that count its objects, and where they stand. */
export function packCount(count: number): { readonly offset: number; readonly bytes: Uint8Array } {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, count);
  return { offset: 8, bytes };
}
