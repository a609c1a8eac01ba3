import type { ObjectFormat, ObjectType } from "@x/objects";
import { PackError } from "../errors.ts";
import type { ByteSource } from "../format/byte-source.ts";
import { decodeDeltaHeader, deltaYield, runDelta } from "../format/delta.ts";
import { ENTRY_BLOB, entryObjectType } from "../format/entry-header.ts";
import type { ZlibCodec } from "../format/zlib-codec.ts";
import { type DeltaTree, NONE } from "./delta-tree.ts";
import { EntryInflater } from "./entry-inflater.ts";
import { type EntryTable, NO_BASE } from "./entry-table.ts";
import { type HashTools, ObjectHasher, PREAMBLE_ROOM } from "./object-hasher.ts";
import type { InspectObject } from "./object-inspector.ts";
import type { ReceiveBudget } from "./receive-budget.ts";

/** How much of what may be held is one array for small objects, in which `copyWithin` does a delta's work. */
const ARENA_SHARE = 1 / 4;
const MAX_DELTA_HEADER_BYTES = 20;

/** What a {@link DeltaResolver} works with. */
export interface DeltaResolverOptions {
  readonly format: ObjectFormat;
  readonly codec: ZlibCodec;
  readonly hash: HashTools;
  readonly budget: ReceiveBudget;
  readonly source: ByteSource;
  /** Where the last entry ends. Unit: bytes. */
  readonly entriesEnd: number;
  /** Bases that are held beside the one in use. Unit: bytes. */
  readonly maxBaseBytes: number;
  /** The data of a base that is not in the pack. */
  readonly external: (row: number) => Uint8Array;
  /** Is shown commits, trees and tags that deltas make. */
  readonly inspect?: InspectObject | undefined;
  /** Called after each delta that is applied once more; what it throws ends the work. */
  readonly checkpoint?: (() => void) | undefined;
}

/** A base whose deltas are being resolved. */
interface Frame {
  readonly row: number;
  readonly depth: number;
  readonly size: number;
  /** What holds the data, if anything does (any more). */
  bytes: Uint8Array | undefined;
  at: number;
  /** The delta whose turn is next. */
  next: number;
}

/** Data in an array of its own or in the arena. */
interface Held {
  readonly bytes: Uint8Array;
  readonly at: number;
  readonly size: number;
}

/** What a delta made. */
interface Made extends Held {
  /** The delta itself, its header included. It holds until the next one is read. */
  readonly delta: Held;
}

/**
 * Gives deltas their ids, depth first and without recursion. A base is made once, is let go before the last of its
 * deltas is followed further, and is made again only when too many large ones were waiting.
 */
export class DeltaResolver {
  resolvedCount = 0;
  readonly #options: DeltaResolverOptions;
  readonly #entries: EntryTable;
  readonly #tree: DeltaTree;
  readonly #inflater: EntryInflater;
  readonly #hasher: ObjectHasher;
  readonly #arena: Uint8Array;
  readonly #frames: Frame[] = [];
  /** Where the arena is free. */
  #top = 0;
  /** Held outside the arena. Unit: bytes. */
  #apartBytes = 0;

  constructor(entries: EntryTable, tree: DeltaTree, options: DeltaResolverOptions) {
    this.#options = options;
    this.#entries = entries;
    this.#tree = tree;
    this.#inflater = new EntryInflater(entries, options.source, options.entriesEnd, options.codec);
    this.#hasher = new ObjectHasher(options.format, options.hash);
    const everything = options.budget.inflatedBytes + entries.count * PREAMBLE_ROOM;
    this.#arena = new Uint8Array(Math.min(options.maxBaseBytes * ARENA_SHARE, everything));
  }

  /** Resolves every delta below `row`, whose id is known. Yields after each, how many bytes it made. @throws PackError */
  *resolveBelow(row: number): Generator<number, void> {
    this.#tree.attach(row);
    const first = this.#tree.firstChild(row);
    if (first === NONE) return;
    const { bytes, at, size } = this.#whole(row, this.#top);
    this.#push({ row, depth: 0, size, bytes, at, next: first });
    for (let frame = this.#frames.at(-1); frame !== undefined; frame = this.#frames.at(-1))
      yield this.#resolveNext(frame);
  }

  /** A whole object's data, in the arena from `top` on when there is room. */
  #whole(row: number, top: number): Held {
    const { budget, external } = this.#options;
    if (row >= this.#inflater.count) {
      const bytes = external(row);
      return { bytes, at: 0, size: bytes.length };
    }
    const size = this.#entries.sizes[row] as number;
    budget.hold(size);
    if (top + size < this.#arena.length) {
      this.#inflater.inflate(row, this.#arena, top);
      return { bytes: this.#arena, at: top, size };
    }
    const bytes = new Uint8Array(size + 1);
    this.#inflater.inflate(row, bytes, 0);
    return { bytes, at: 0, size };
  }

  #resolveNext(frame: Frame): number {
    const entries = this.#entries;
    const row = frame.next;
    frame.next = this.#tree.nextSibling(row);
    if (frame.bytes === undefined) this.#remake(frame);
    const { bytes, at } = frame as Frame & Held;
    const depth = frame.depth + 1;
    this.#options.budget.takeDepth(depth);
    const kind = entries.kinds[frame.row] as number;
    const made = this.#apply(row, { bytes, at, size: frame.size }, kind);
    entries.kinds[row] = kind;
    const type = entryObjectType(kind) as ObjectType;
    this.#hasher.hash(type, made.bytes, made.at, made.size, entries.ids, row * entries.idLength);
    if (kind !== ENTRY_BLOB) this.#inspect(row, frame.row, made);
    this.resolvedCount++;
    this.#tree.attach(row);
    if (frame.next === NONE) this.#pop();
    const next = this.#tree.firstChild(row);
    if (next !== NONE) this.#keep(row, depth, made, next);
    return made.size;
  }

  #inspect(row: number, base: number, made: Made): void {
    const { inspect } = this.#options;
    if (inspect === undefined) return;
    const entries = this.#entries;
    const delta = { baseKey: base, bytes: viewOf(made.delta) };
    inspect({ row, kind: entries.kinds[row] as number, data: viewOf(made), delta, rawId: entries.id(row) });
  }

  /** Makes `row` the base in progress. */
  #keep(row: number, depth: number, made: Held, next: number): void {
    let at = made.at;
    if (made.bytes === this.#arena) {
      at = this.#top;
      this.#arena.copyWithin(at, made.at, made.at + made.size);
    }
    this.#push({ row, depth, size: made.size, bytes: made.bytes, at, next });
  }

  #push(frame: Frame): void {
    this.#frames.push(frame);
    if (frame.bytes === this.#arena) {
      this.#top = frame.at + frame.size;
      return;
    }
    this.#apartBytes += frame.size;
    for (const older of this.#frames) {
      if (this.#apartBytes <= this.#options.maxBaseBytes - this.#arena.length || older === frame) return;
      this.#drop(older);
    }
  }

  #pop(): void {
    const frame = this.#frames.pop() as Frame;
    if (frame.bytes === this.#arena) this.#top = frame.at;
    else this.#drop(frame);
  }

  #drop(frame: Frame): void {
    if (frame.bytes === undefined || frame.bytes === this.#arena) return;
    frame.bytes = undefined;
    this.#apartBytes -= frame.size;
  }

  /** Makes a base again that was dropped, from the nearest of its ancestors that is still there. */
  #remake(frame: Frame): void {
    const { bases } = this.#entries;
    const rows: number[] = [];
    let row = frame.row;
    let level = this.#frames.length - 1;
    let made: Held | undefined;
    while (made === undefined) {
      while (level >= 0 && (this.#frames[level] as Frame).depth > frame.depth - rows.length) level--;
      const ancestor = this.#frames[level];
      if (ancestor?.row === row && ancestor.bytes !== undefined) made = ancestor as Frame & Held;
      else if (bases[row] === NO_BASE) {
        made = this.#whole(row, this.#arena.length);
        this.#options.budget.takeWork(made.size);
      } else {
        rows.push(row);
        row = bases[row] as number;
      }
    }
    for (let delta = rows.pop(); delta !== undefined; delta = rows.pop()) {
      made = this.#apply(delta, made, ENTRY_BLOB, true);
      this.#options.budget.takeWork(made.size);
      this.#options.checkpoint?.();
    }
    frame.bytes = made.bytes;
    frame.at = made.at;
    this.#apartBytes += frame.size;
  }

  /** What the delta in `row` makes of `base`: in free space of the arena when there is room, unless `apart`. */
  #apply(row: number, base: Held, kind: number, apart = false): Made {
    const { budget } = this.#options;
    const deltaSize = this.#entries.sizes[row] as number;
    budget.hold(deltaSize);
    let delta = this.#arena;
    let at = this.#top;
    if (apart || at + deltaSize + 1 > delta.length) {
      delta = new Uint8Array(deltaSize + 1);
      at = 0;
    }
    this.#inflater.inflate(row, delta, at);
    const end = at + deltaSize;
    try {
      const head = decodeDeltaHeader(delta.subarray(at, Math.min(end, at + MAX_DELTA_HEADER_BYTES)));
      if (head.baseSize !== base.size) throw new PackError("pack/bad-delta", "delta does not fit its base");
      const size = head.resultSize;
      budget.hold(size);
      if (kind !== ENTRY_BLOB) budget.takeParsed(size);
      let bytes = delta;
      let start = end + PREAMBLE_ROOM;
      if (delta !== this.#arena || start + size > delta.length) {
        // Nothing is allocated on the word of the delta's head alone.
        if (deltaYield(delta, at + head.opsAt, end) !== size)
          throw new PackError("pack/bad-delta", "delta yields another size than it declares");
        bytes = new Uint8Array(PREAMBLE_ROOM + size);
        start = PREAMBLE_ROOM;
      }
      runDelta(base.bytes, base.at, base.size, delta, at + head.opsAt, end, bytes, start, size);
      return { bytes, at: start, size, delta: { bytes: delta, at, size: deltaSize } };
    } catch (error) {
      throw this.#failure(row, error);
    }
  }

  #failure(row: number, error: unknown): unknown {
    if (!(error instanceof PackError) || error.code !== "pack/bad-delta") return error;
    const offset = this.#entries.offsets[row] as number;
    const message = `pack has bad object at offset ${offset}: failed to apply delta (${error.message})`;
    return new PackError("pack/bad-delta", message, { offset, cause: error });
  }
}

function viewOf({ bytes, at, size }: Held): Uint8Array {
  return bytes.subarray(at, at + size);
}
