import type { ObjectType } from "@x/objects";
import { type CreateHasher, createHasher, type Hasher, type ObjectFormat, objectPreamble } from "@x/objects";
import { PackError } from "../errors.ts";
import { DeltaPieces } from "../format/delta-pieces.ts";
import { ENTRY_BLOB, entryObjectType } from "../format/entry-header.ts";
import type { Spill, SpillRoom } from "../read/spill-room.ts";
import { type Held, NO_BYTES, sourceOf, spilled } from "./base-stack.ts";
import type { EntryInflater } from "./entry-inflater.ts";
import type { EntryTable } from "./entry-table.ts";
import type { ReceiveBudget } from "./receive-budget.ts";

/** What {@link LargeDeltas} work with. */
export interface LargeDeltasOptions {
  readonly format: ObjectFormat;
  readonly createHasher: CreateHasher | undefined;
  readonly budget: ReceiveBudget;
  readonly room: SpillRoom;
  /** Called after each piece that is made; what it throws ends the work. */
  readonly checkpoint: (() => void) | undefined;
}

/** What is wanted of what a delta makes. */
export interface Wanted {
  /** Its id, written into its row. */
  readonly id: boolean;
  /** Its data. */
  readonly data: boolean;
}

/**
 * Applies deltas where the base, the delta or what it makes is too large for memory: these are read and made piece by
 * piece. What is made of trees, commits and tags is read whole afterwards and so has to be held, within limits of its own.
 */
export class LargeDeltas {
  readonly #entries: EntryTable;
  readonly #inflater: EntryInflater;
  readonly #options: LargeDeltasOptions;

  constructor(entries: EntryTable, inflater: EntryInflater, options: LargeDeltasOptions) {
    this.#entries = entries;
    this.#inflater = inflater;
    this.#options = options;
  }

  /** Whether an object of this kind and size is set aside. Unit: bytes. */
  isLarge(kind: number, size: number): boolean {
    return kind === ENTRY_BLOB && size > this.#options.room.above;
  }

  /** Whether a delta of this size is applied piece by piece, whatever to. Unit: bytes. */
  isLargeDelta(size: number): boolean {
    return size > this.#options.room.above;
  }

  /** Sets aside the whole object in `row`. Yields how many bytes there are more. @throws PackError */
  *whole(row: number): Generator<number, Held> {
    const { budget, room, checkpoint } = this.#options;
    budget.takeDeltaObject(this.#entries.sizes[row] as number);
    const spill = room.create();
    for (const piece of this.#inflater.pieces(row)) {
      spill.append(piece);
      checkpoint?.();
      yield piece.length;
    }
    return spilled(spill);
  }

  /** Applies the delta in `row`. Yields how many bytes were made more. @throws PackError */
  *apply(row: number, base: Held, kind: number, wanted: Wanted): Generator<number, Held> {
    const { budget, room, checkpoint } = this.#options;
    const delta = new DeltaPieces(this.#inflater.pieces(row));
    const { baseSize, resultSize: size } = delta.header();
    if (baseSize !== base.size) throw new PackError("pack/bad-delta", "delta does not fit its base");
    budget.takeDeltaObject(size);
    if (kind !== ENTRY_BLOB) budget.takeParsed(size);
    const hasher = wanted.id ? this.#hasher(kind, size) : undefined;
    // Nothing is allocated on the word of the delta's head alone: what has to be held is read back when it is there.
    const spill = wanted.data ? room.create() : undefined;
    const take = (piece: Uint8Array): void => {
      hasher?.update(piece);
      spill?.append(piece);
    };
    for (const made of delta.run(sourceOf(base), size, take)) {
      checkpoint?.();
      yield made;
    }
    if (hasher !== undefined) this.#entries.ids.set(hasher.digest(), row * this.#entries.idLength);
    if (spill === undefined) return { bytes: NO_BYTES, at: 0, size, spill };
    return this.isLarge(kind, size) ? spilled(spill) : readBack(spill);
  }

  #hasher(kind: number, size: number): Hasher {
    const { format, createHasher: create = createHasher } = this.#options;
    const hasher = create(format);
    hasher.update(objectPreamble(entryObjectType(kind) as ObjectType, size));
    return hasher;
  }
}

function readBack(spill: Spill): Held {
  const { size } = spill;
  const bytes = new Uint8Array(size);
  if (spill.read(0, bytes) < size)
    throw new PackError("pack/truncated", "what was set aside is shorter than it was");
  spill.discard();
  return { bytes, at: 0, size, spill: undefined };
}
