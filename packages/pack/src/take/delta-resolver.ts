import type { ObjectFormat, ObjectType } from "@x/objects";
import { PackError } from "../errors.ts";
import type { ByteSource } from "../format/byte-source.ts";
import { decodeDeltaHeader, deltaYield, runDelta } from "../format/delta.ts";
import { ENTRY_BLOB, entryObjectType } from "../format/entry-header.ts";
import type { ZlibCodec } from "../format/zlib-codec.ts";
import type { SpillRoom } from "../read/spill-room.ts";
import { BaseStack, type Frame, type Held, heldBy, isThere, NO_BYTES } from "./base-stack.ts";
import type { ExternalBase } from "./complete-thin-pack.ts";
import { type DeltaTree, NONE } from "./delta-tree.ts";
import { EntryInflater } from "./entry-inflater.ts";
import type { EntryTable } from "./entry-table.ts";
import { LargeDeltas, type Wanted } from "./large-deltas.ts";
import { type HashTools, ObjectHasher, PREAMBLE_ROOM } from "./object-hasher.ts";
import type { InspectObject } from "./object-inspector.ts";
import type { ReceiveBudget } from "./receive-budget.ts";

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
  /** For what is too large to be held; without it everything is. */
  readonly room: SpillRoom | undefined;
  /** A base that is not in the pack. */
  readonly external: (row: number) => ExternalBase;
  /** Is shown commits, trees and tags that deltas make. */
  readonly inspect?: InspectObject | undefined;
  /** Called in the midst of long steps; what it throws ends the work. */
  readonly checkpoint?: (() => void) | undefined;
}

/** What a delta made. */
interface Made extends Held {
  /** The delta itself, its header included, where it was held. It holds until the next one is read. */
  readonly delta: Held | undefined;
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
  readonly #stack: BaseStack;
  readonly #arena: Uint8Array;
  readonly #large: LargeDeltas | undefined;

  constructor(entries: EntryTable, tree: DeltaTree, options: DeltaResolverOptions) {
    const { format, budget, room, checkpoint } = options;
    this.#options = options;
    this.#entries = entries;
    this.#tree = tree;
    this.#inflater = new EntryInflater(entries, options.source, options.entriesEnd, options.codec);
    this.#hasher = new ObjectHasher(format, options.hash);
    const everything = budget.inflatedBytes + entries.count * PREAMBLE_ROOM;
    this.#stack = new BaseStack(options.maxBaseBytes, everything, room);
    this.#arena = this.#stack.arena;
    const { createHasher } = options.hash;
    const large = room && { format, createHasher, budget, room, checkpoint };
    this.#large = large && new LargeDeltas(entries, this.#inflater, large);
  }

  /** Resolves every delta below `row`, whose id is known. Yields now and then how many bytes it made more. @throws PackError */
  *resolveBelow(row: number): Generator<number, void> {
    this.#tree.attach(row);
    const first = this.#tree.firstChild(row);
    if (first === NONE) return;
    const base = this.#whole(row, this.#stack.top) ?? (yield* this.#wholeLarge(row));
    this.#push(row, 0, base, first);
    for (let frame = this.#stack.last; frame !== undefined; frame = this.#stack.last) {
      if (!isThere(frame)) yield* this.#remake(frame);
      const made = this.#resolveNext(frame);
      if (made !== undefined) yield made;
      else yield* this.#resolveLarge(frame);
    }
  }

  /** A whole object's data, in the arena from `top` on when there is room; `undefined` when it is too large to be held. */
  #whole(row: number, top: number): Held | undefined {
    const { budget, external } = this.#options;
    if (row >= this.#inflater.count) {
      const base = external(row);
      return "data" in base
        ? { bytes: base.data, at: 0, size: base.data.length, spill: undefined }
        : undefined;
    }
    const size = this.#entries.sizes[row] as number;
    if (this.#large?.isLarge(this.#entries.kinds[row] as number, size)) return undefined;
    budget.hold(size);
    if (top + size < this.#arena.length) {
      this.#inflater.inflate(row, this.#arena, top);
      return { bytes: this.#arena, at: top, size, spill: undefined };
    }
    const bytes = new Uint8Array(size + 1);
    this.#inflater.inflate(row, bytes, 0);
    return { bytes, at: 0, size, spill: undefined };
  }

  *#wholeLarge(row: number): Generator<number, Held> {
    if (row < this.#inflater.count) return yield* (this.#large as LargeDeltas).whole(row);
    const { budget, external, room, checkpoint } = this.#options;
    const base = external(row);
    if ("data" in base) throw new RangeError("a base that is held need not be set aside");
    budget.takeDeltaObject(base.size);
    const steps = base.spill();
    for (let before = room?.bytes ?? 0; ; before = room?.bytes ?? 0) {
      const step = steps.next();
      if (step.done) return { bytes: NO_BYTES, at: 0, size: base.size, spill: step.value };
      checkpoint?.();
      yield Math.max(0, (room?.bytes ?? 0) - before);
    }
  }

  /** @returns how many bytes it made; `undefined` when that, or what it is made of, is too large to be held */
  #resolveNext(frame: Frame): number | undefined {
    if (frame.spill !== undefined) return undefined;
    const entries = this.#entries;
    const row = frame.next;
    const depth = frame.depth + 1;
    this.#options.budget.takeDepth(depth);
    const kind = entries.kinds[frame.row] as number;
    const made = this.#apply(row, heldBy(frame), kind);
    if (made === undefined) return undefined;
    const type = entryObjectType(kind) as ObjectType;
    this.#hasher.hash(type, made.bytes, made.at, made.size, entries.ids, row * entries.idLength);
    this.#settle(frame, row, made);
    return made.size;
  }

  *#resolveLarge(frame: Frame): Generator<number, void> {
    const row = frame.next;
    this.#options.budget.takeDepth(frame.depth + 1);
    const kind = this.#entries.kinds[frame.row] as number;
    const wanted = { id: true, data: kind !== ENTRY_BLOB || this.#tree.mayHaveChildren(row) };
    const made = yield* this.#applyLarge(row, heldBy(frame), kind, wanted);
    this.#settle(frame, row, made);
  }

  /** What is left to do once `row`, which hangs on `frame`, has its id. */
  #settle(frame: Frame, row: number, made: Made): void {
    const entries = this.#entries;
    const kind = entries.kinds[frame.row] as number;
    entries.kinds[row] = kind;
    if (kind !== ENTRY_BLOB) this.#inspect(row, frame.row, made);
    this.resolvedCount++;
    this.#tree.attach(row);
    frame.next = this.#tree.nextSibling(row);
    if (frame.next === NONE) this.#stack.pop();
    const next = this.#tree.firstChild(row);
    if (next === NONE) made.spill?.discard();
    else this.#keep(row, frame.depth + 1, made, next);
  }

  #inspect(row: number, base: number, made: Made): void {
    const { inspect } = this.#options;
    if (inspect === undefined) return;
    const entries = this.#entries;
    const delta = made.delta && { baseKey: base, bytes: viewOf(made.delta) };
    inspect({ row, kind: entries.kinds[row] as number, data: viewOf(made), delta, rawId: entries.id(row) });
  }

  /** Makes `row` the base in progress. */
  #keep(row: number, depth: number, made: Held, next: number): void {
    if (made.bytes !== this.#arena) {
      this.#push(row, depth, made, next);
      return;
    }
    const at = this.#stack.top;
    this.#arena.copyWithin(at, made.at, made.at + made.size);
    this.#push(row, depth, { bytes: made.bytes, at, size: made.size, spill: undefined }, next);
  }

  #push(row: number, depth: number, { bytes, at, size, spill }: Held, next: number): void {
    this.#stack.push({ row, depth, size, bytes: spill === undefined ? bytes : undefined, at, spill, next });
  }

  /** Makes a base again that was let go of, from the nearest of its ancestors that is still there. */
  *#remake(frame: Frame): Generator<number, void> {
    const { budget, checkpoint } = this.#options;
    const kind = this.#entries.kinds[frame.row] as number;
    const { from, root, deltas } = this.#stack.path(this.#entries.bases);
    let made = from;
    if (made === undefined) {
      made = this.#whole(root, this.#arena.length) ?? (yield* this.#wholeLarge(root));
      budget.takeWork(made.size);
    }
    for (let delta = deltas.pop(); delta !== undefined; delta = deltas.pop()) {
      const wanted = { id: false, data: true };
      const next: Held =
        (made.spill === undefined ? this.#apply(delta, made, kind, true) : undefined) ??
        (yield* this.#applyLarge(delta, made, kind, wanted));
      if (made !== from) made.spill?.discard();
      made = next;
      budget.takeWork(made.size);
      checkpoint?.();
    }
    this.#stack.restore(frame, made);
  }

  *#applyLarge(row: number, base: Held, kind: number, wanted: Wanted): Generator<number, Made> {
    this.#stack.inUse = base.spill;
    try {
      const made = yield* (this.#large as LargeDeltas).apply(row, base, kind, wanted);
      return { ...made, delta: undefined };
    } catch (error) {
      throw this.#failure(row, error);
    } finally {
      this.#stack.inUse = undefined;
    }
  }

  /**
   * What the delta in `row` makes of `base`: in free space of the arena when there is room, unless `apart`. `undefined` when
   * it is too large to be held.
   */
  #apply(row: number, base: Held, kind: number, apart = false): Made | undefined {
    const { budget } = this.#options;
    const deltaSize = this.#entries.sizes[row] as number;
    if (this.#large?.isLargeDelta(deltaSize)) return undefined;
    budget.hold(deltaSize);
    let delta = this.#arena;
    let at = this.#stack.top;
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
      if (this.#large?.isLarge(kind, size)) return undefined;
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
      const held = { bytes: delta, at, size: deltaSize, spill: undefined };
      return { bytes, at: start, size, spill: undefined, delta: held };
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
