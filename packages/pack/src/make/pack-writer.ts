import { type CreateHasher, objectIdToBytes, rawIdLength } from "@x/objects";
import type { ByteSource } from "../format/byte-source.ts";
import { encodeDelta } from "../format/delta-encoder.ts";
import {
  ENTRY_OFS_DELTA,
  ENTRY_REF_DELTA,
  encodeBaseDistance,
  encodeEntryHeader,
  MAX_ENTRY_HEADER_BYTES,
  objectEntryType,
} from "../format/entry-header.ts";
import type { ZlibCodec } from "../format/zlib-codec.ts";
import { NOT_BY_RANK, WHOLE } from "../read/entry-bases.ts";
import { ForwardSource } from "../read/forward-source.ts";
import type { ObjectTable } from "../read/object-table.ts";
import { PACK_HEADER_BYTES, type PackEntry, type PackReader } from "../read/pack-reader.ts";
import { BREATH } from "../walk/history-walk.ts";
import type { IntList } from "../walk/object-notes.ts";
import type { Selection } from "../walk/selection.ts";
import { PackOutput } from "./pack-output.ts";
import { ShiftMap } from "./shift-map.ts";

/** A shorter object costs less than its delta. Unit: bytes. */
const MIN_DELTA_TARGET_BYTES = 64;

/** No delta is made for a larger object: it takes memory and time. Unit: bytes. */
const MAX_DELTA_TARGET_BYTES = 16 * 1024 * 1024;

/** What stands in the place of an entry's rank. */
const END = -1;
const SKIPPING = -2;

/** Entries passed over between two breaths. */
const SKIPPED_AT_ONCE = 1 << 18;

/** Where one entry in so many is selected, these are looked up one by one. */
const SPARSE = 16;

/** What the client can read, and what writing needs. */
export interface WritePackOptions {
  readonly codec: ZlibCodec;
  readonly createHasher: CreateHasher;
  /** A delta may name its base by offset. */
  readonly ofsDelta: boolean;
  /** A delta's base may be missing from the pack when the other side has it. */
  readonly thin: boolean;
  /** A buffer that a chunk went out in and that nobody reads any more, if there is one. */
  readonly spare?: (() => ArrayBuffer | undefined) | undefined;
}

/**
 * Writes a pack of the selected objects. Entries are copied as they lie, deltas included, pack by pack in the order in
 * which they lie there: reading runs forward, and a base is out before its deltas. Only the reference to a base that has
 * moved is written anew, and only a delta whose base is not sent is put together. Spec: gitformat-pack.
 */
export class PackWriter {
  readonly #table: ObjectTable;
  readonly #selection: Selection;
  readonly #options: WritePackOptions;
  readonly #output: PackOutput;
  readonly #scratch = new Uint8Array(MAX_ENTRY_HEADER_BYTES);
  readonly #idLength: number;
  /** The pack that is the answer as it lies. */
  readonly #whole: PackReader | undefined;
  /** Objects written so far. */
  written = 0;
  reused = 0;
  /** Of those that were looked at one by one. */
  deltas = 0;
  /** Of {@link reused}: in packs that were copied from end to end. */
  packReused = 0;
  packsReused = 0;

  constructor(table: ObjectTable, selection: Selection, options: WritePackOptions) {
    this.#table = table;
    this.#selection = selection;
    this.#options = options;
    this.#idLength = rawIdLength(table.format);
    this.#whole = this.#findWhole();
    const hasher = this.#whole === undefined ? options.createHasher(table.format) : undefined;
    this.#output = new PackOutput(hasher, options.spare);
  }

  /** Unit: bytes. */
  get bytes(): number {
    return this.#output.bytes;
  }

  /** Only when nothing at all has to be changed is the trailer known beforehand, and hashing saved. */
  #findWhole(): PackReader | undefined {
    const pack = this.#table.packs[0];
    if (pack === undefined || pack.index.count !== this.#selection.count || !this.#isWanted(0))
      return undefined;
    const header = new Uint8Array(PACK_HEADER_BYTES);
    pack.source.read(0, header);
    return header[7] === 2 ? pack : undefined;
  }

  /**
   * The pack's chunks, in order, of at most 64 KiB, each the consumer's own; `undefined` now and then when there is none
   * yet, so that the caller can breathe.
   */
  *run(): Generator<Uint8Array | undefined, void> {
    const header = new Uint8Array([0x50, 0x41, 0x43, 0x4b, 0, 0, 0, 2, 0, 0, 0, 0]);
    new DataView(header.buffer).setUint32(8, this.#selection.count);
    this.#output.append(header);
    for (let pack = 0; pack < this.#table.packs.length; pack++) yield* this.#writeFrom(pack);
    for (const number of this.#table.looseNumbers()) {
      if (!this.#selection.isSelected(number)) continue;
      this.#remake(number);
      yield undefined;
      yield* this.#output.take();
    }
    this.#output.finish(this.#whole?.index.packChecksum);
    yield* this.#output.take();
  }

  /** Whether a pack can go out from end to end: distances within it stay as they are. */
  #isWanted(packNumber: number): boolean {
    const { count } = (this.#table.packs[packNumber] as PackReader).index;
    if (!this.#options.ofsDelta || count > this.#selection.count) return false;
    const first = this.#table.startOf(packNumber);
    for (let number = first; number < first + count; number++)
      if (!this.#selection.isSelected(number)) return false;
    return true;
  }

  *#writeFrom(packNumber: number): Generator<Uint8Array | undefined, void> {
    const pack = this.#table.packs[packNumber] as PackReader;
    const { index } = pack;
    // Where the client has something alike, deltas may be made that are not there.
    const mayShrink = this.#options.thin && this.#selection.knowsLikeness;
    if (pack === this.#whole || (!mayShrink && this.#isWanted(packNumber))) {
      yield* this.#copy(pack.source, PACK_HEADER_BYTES, pack.entriesEnd);
      this.written += index.count;
      this.reused += index.count;
      this.packReused += index.count;
      this.packsReused++;
      return;
    }
    yield* index.prepareOrder();
    const first = this.#table.startOf(packNumber);
    const source = new ForwardSource(pack.source);
    const shifts = new ShiftMap();
    // Neighbouring entries that stay as they are go out as one run.
    let runStart = 0;
    let runEnd = 0;
    const ranks = this.#ranks(pack, first);
    let steps = 0;
    for (let rank = ranks.next(); rank !== END; rank = ranks.next()) {
      if (rank === SKIPPING || ++steps % BREATH === 0) yield undefined;
      if (rank === SKIPPING) continue;
      const position = index.order[rank] as number;
      const number = first + position;
      const offset = index.offset(position);
      const end = rank + 1 < index.count ? index.offset(index.order[rank + 1] as number) : pack.entriesEnd;
      const at = this.#output.bytes + runEnd - runStart;
      const known = pack.bases.of(rank);
      const mayBecomeDelta = mayShrink && known === WHOLE;
      // Most entries stay as they are, and what is known of their bases shows it.
      const isRight = !mayBecomeDelta && this.#staysAsItLies(pack, first, known, shifts, at - offset);
      const entry = isRight ? undefined : pack.entry(offset);
      const base = entry !== undefined && mayBecomeDelta ? this.#likeness(number, entry.size) : -1;
      const reference =
        entry !== undefined && base < 0 ? this.#reference(entry, packNumber, shifts, at) : "none";
      if (entry === undefined || reference === "as it lies") {
        this.#countReused(known !== WHOLE);
        if (offset !== runEnd) {
          yield* this.#copy(source, runStart, runEnd);
          runStart = offset;
          shifts.add(offset, at - offset);
        } else if (runStart === runEnd) shifts.add(offset, at - offset);
        runEnd = end;
        continue;
      }
      yield* this.#copy(source, runStart, runEnd);
      runStart = runEnd = end;
      shifts.add(offset, at - offset);
      if (reference !== "none") {
        this.#countReused(known !== WHOLE);
        this.#output.append(reference);
        yield* this.#copy(source, offset + entry.dataAt, end);
      } else {
        yield undefined; // deflating and making deltas takes its time
        if (base < 0) this.#remake(number);
        else if (!this.#writeDelta(number, base)) {
          this.#countReused(known !== WHOLE);
          yield* this.#copy(source, offset, end);
        }
      }
      yield* this.#output.take();
    }
    yield* this.#copy(source, runStart, runEnd);
  }

  /** The selected entries of a pack in the order in which they lie; {@link SKIPPING} after many that are not, {@link END} last. */
  #ranks(pack: PackReader, first: number): { next(): number } {
    const { few } = this.#selection;
    if (few !== undefined && few.length < pack.index.count / SPARSE) {
      const ranks = this.#fewRanks(pack, first, few);
      if (ranks !== undefined) return ranks;
    }
    const { order } = pack.index;
    let rank = 0;
    return {
      next: () => {
        const pause = Math.min(order.length, rank + SKIPPED_AT_ONCE);
        while (rank < pause) {
          if (this.#selection.isSelected(first + (order[rank] as number))) return rank++;
          rank++;
        }
        return rank < order.length ? SKIPPING : END;
      },
    };
  }

  /** The same without a look at all the others; `undefined` when two of them are said to lie in one place. */
  #fewRanks({ index }: PackReader, first: number, few: IntList): { next(): number } | undefined {
    const found = new Set<number>();
    let count = 0;
    for (let i = 0; i < few.length; i++) {
      const position = few.get(i) - first;
      if (position < 0 || position >= index.count || !this.#selection.isSelected(few.get(i))) continue;
      found.add(index.rankOfOffset(index.offset(position)));
      count++;
    }
    if (found.size !== count) return undefined;
    const ranks = Int32Array.from(found).sort();
    let at = 0;
    return { next: () => ranks[at++] ?? END };
  }

  #countReused(isDelta: boolean): void {
    this.written++;
    this.reused++;
    if (isDelta) this.deltas++;
  }

  /** Whether an entry whose base has the rank `base` is right where it is moved by `shift`: its base has to move with it. */
  #staysAsItLies(
    { index }: PackReader,
    first: number,
    base: number,
    shifts: ShiftMap,
    shift: number,
  ): boolean {
    if (base === WHOLE) return true;
    if (base === NOT_BY_RANK || !this.#options.ofsDelta) return false;
    const position = index.order[base] as number;
    return this.#selection.isSelected(first + position) && shifts.at(index.offset(position)) === shift;
  }

  /**
   * How an entry that lies at `entry.offset` and goes to `at` of the new pack is to name its base: as it does now; in the
   * bytes given, which take the place of its header; or not at all, because the base will not be there.
   */
  #reference(
    entry: PackEntry,
    packNumber: number,
    shifts: ShiftMap,
    at: number,
  ): "as it lies" | "none" | Uint8Array {
    if (entry.baseOffset < 0) return "as it lies";
    const { index } = this.#table.packs[packNumber] as PackReader;
    const rank = index.rankOfOffset(entry.baseOffset);
    if (rank < 0) return "none";
    const position = index.order[rank] as number;
    const local = this.#table.startOf(packNumber) + position;
    if (this.#selection.isSelected(local)) {
      if (entry.type === ENTRY_REF_DELTA) return "as it lies";
      if (!this.#options.ofsDelta) return this.#byId(entry, index.rawId(position));
      const base = entry.baseOffset + shifts.at(entry.baseOffset);
      if (at - base === entry.baseDistance) return "as it lies";
      const head = encodeEntryHeader(this.#scratch, 0, ENTRY_OFS_DELTA, entry.size);
      return this.#scratch.subarray(0, encodeBaseDistance(this.#scratch, head, at - base));
    }
    // Perhaps another copy of the base counts: one that is out already, or that the client has.
    const base = packNumber === 0 ? local : this.#table.find(index.rawId(position), 0);
    const isOut = base !== local && this.#selection.isSelected(base) && this.#table.packOf(base) < packNumber;
    const isThere = this.#options.thin && this.#selection.isHad(base) && !this.#selection.isSelected(base);
    if (!isOut && !isThere) return "none";
    return entry.type === ENTRY_REF_DELTA ? "as it lies" : this.#byId(entry, index.rawId(position));
  }

  #byId(entry: PackEntry, base: Uint8Array): Uint8Array {
    const head = encodeEntryHeader(this.#scratch, 0, ENTRY_REF_DELTA, entry.size);
    this.#scratch.set(base, head);
    return this.#scratch.subarray(0, head + this.#idLength);
  }

  *#copy(source: ByteSource, start: number, end: number): Generator<Uint8Array, void> {
    for (let offset = start; offset < end; ) {
      offset += this.#output.copy(source, offset, end - offset);
      yield* this.#output.take();
    }
  }

  /** Writes an object anew: as a delta of what the client has in its place if that pays, otherwise whole. */
  #remake(number: number): void {
    const base = this.#likeness(number, this.#table.header(number).size);
    if (base >= 0 && this.#writeDelta(number, base)) return;
    const { type, data } = this.#table.read(number);
    this.written++;
    this.#append(encodeEntryHeader(this.#scratch, 0, objectEntryType(type), data.length), data);
  }

  /** What the client has in the place of an object that is worth making a delta for; -1 when there is nothing. */
  #likeness(number: number, size: number): number {
    if (!this.#options.thin || this.#whole !== undefined) return -1;
    if (size < MIN_DELTA_TARGET_BYTES || size > MAX_DELTA_TARGET_BYTES) return -1;
    const base = this.#selection.likeness(number);
    // What is sent as well may be a delta itself, of this very object in the end.
    if (base < 0 || !this.#selection.isHad(base) || this.#selection.isSelected(base)) return -1;
    return this.#table.header(base).size > MAX_DELTA_TARGET_BYTES ? -1 : base;
  }

  /** @returns false, and writes nothing, when a delta would not pay */
  #writeDelta(number: number, base: number): boolean {
    const like = this.#table.read(base);
    const source = like.data.slice(); // the original holds until the next read only
    const { type, data } = this.#table.read(number);
    const delta = like.type === type ? encodeDelta(source, data, Math.floor(data.length / 2)) : undefined;
    if (delta === undefined) return false;
    this.written++;
    this.deltas++;
    const head = encodeEntryHeader(this.#scratch, 0, ENTRY_REF_DELTA, delta.length);
    this.#scratch.set(objectIdToBytes(this.#table.id(base)), head);
    this.#append(head + this.#idLength, delta);
    return true;
  }

  #append(headLength: number, data: Uint8Array): void {
    this.#output.append(this.#scratch.subarray(0, headLength));
    this.#output.append(this.#options.codec.deflate(data));
  }
}
