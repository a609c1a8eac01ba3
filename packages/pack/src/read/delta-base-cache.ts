import type { ObjectType } from "@x/objects";
import { RowTable } from "../format/row-table.ts";

/** An object that was made from a pack entry. */
export interface PackedObject {
  readonly type: ObjectType;
  /** Not to be written to; holds until the next object is read, unless its maker says otherwise. */
  readonly data: Uint8Array;
  /** How a tree lies in its pack, if as a delta. */
  readonly delta?: Derivation | undefined;
}

/** A delta and the entry it is to be applied to. */
interface Derivation {
  /** {@link PackReader.keyOf} the base. */
  readonly baseKey: number;
  readonly bytes: Uint8Array;
}

/*
 * What is kept of each object, in the row under its key. Places are counted from the first byte ever reserved; that of the
 * delta is NO_DELTA when there is none.
 */
const TYPE = 0;
const DATA_AT = 1;
const DATA_LENGTH = 2;
const DELTA_AT = 3;
const DELTA_LENGTH = 4;
const BASE_KEY = 5;
const COLUMNS = 6;

const TYPES: readonly ObjectType[] = ["commit", "tree", "blob", "tag"];
const NO_DELTA = -1;

/**
 * Objects that deltas were, or are likely to be, applied to. They are made in place, in one ring of memory whose oldest
 * bytes are overwritten: walking a large history makes gigabytes of trees, and to allocate each would keep the garbage
 * collector as busy as the walk. What is still asked for when its end is near moves to the front.
 *
 * One cache serves all packs of a thread: each draws a range of keys as long as itself.
 */
export class DeltaBaseCache {
  readonly #ring: Uint8Array;
  readonly #objects = new RowTable(COLUMNS);
  /** Bytes reserved so far, gaps at the ring's end included. */
  #head = 0;
  #registered = 0;
  readonly #isHere = (row: number): boolean =>
    this.#head - (this.#objects.rows[row + DATA_AT] as number) <= this.#ring.length;

  /** @param bytes size of the ring; an object of more than an eighth is not kept. Unit: bytes. */
  constructor(bytes: number) {
    this.#ring = new Uint8Array(bytes);
  }

  /** The first key of a range of `size` that nobody else has, nor had: packs come and go. */
  register(size: number): number {
    const first = this.#registered;
    this.#registered += size;
    return first;
  }

  /**
   * Room for an object in the making. It stays as written while no more than half the ring is reserved after it; an object
   * too large for the ring gets memory of its own.
   */
  reserve(size: number): Uint8Array {
    if (size > this.#ring.length / 8) return new Uint8Array(size);
    const at = this.#reserveAt(size);
    return this.#ring.subarray(at, at + size);
  }

  #reserveAt(size: number): number {
    const { length } = this.#ring;
    let at = this.#head % length;
    if (at + size > length) {
      this.#head += length - at;
      at = 0;
    }
    this.#head += size;
    return at;
  }

  get(key: number): PackedObject | undefined {
    const row = this.#objects.find(key);
    if (row < 0) return undefined;
    const { rows } = this.#objects;
    const hasDelta = rows[row + DELTA_AT] !== NO_DELTA;
    let dataAt = rows[row + DATA_AT] as number;
    let deltaAt = rows[row + DELTA_AT] as number;
    const age = this.#head - (hasDelta ? Math.min(dataAt, deltaAt) : dataAt);
    // What is made of this object, a delta and a result, takes three eighths of the ring at most, with a gap at its end,
    // and must not be written over it.
    if (age > this.#ring.length / 2) {
      if (age > (this.#ring.length * 3) / 4) return undefined; // gone, or no room to move it safely
      dataAt = this.#moveToFront(dataAt, rows[row + DATA_LENGTH] as number);
      rows[row + DATA_AT] = dataAt;
      if (hasDelta) deltaAt = this.#moveToFront(deltaAt, rows[row + DELTA_LENGTH] as number);
      rows[row + DELTA_AT] = deltaAt;
    }
    const type = TYPES[rows[row + TYPE] as number] as ObjectType;
    const data = this.#view(dataAt, rows[row + DATA_LENGTH] as number);
    if (!hasDelta) return { type, data, delta: undefined };
    const bytes = this.#view(deltaAt, rows[row + DELTA_LENGTH] as number);
    return { type, data, delta: { baseKey: rows[row + BASE_KEY] as number, bytes } };
  }

  #view(start: number, length: number): Uint8Array {
    const at = start % this.#ring.length;
    return this.#ring.subarray(at, at + length);
  }

  #moveToFront(start: number, length: number): number {
    const from = start % this.#ring.length;
    const to = this.#reserveAt(length);
    this.#ring.copyWithin(to, from, from + length);
    return this.#head - length;
  }

  /** Keeps an object whose bytes, and its delta's, were {@link reserve}d just now. */
  set(key: number, { type, data, delta }: PackedObject): void {
    const dataAt = this.#startOf(data);
    const deltaAt = delta === undefined ? NO_DELTA : this.#startOf(delta.bytes);
    if (dataAt < 0 || (delta !== undefined && deltaAt < 0)) return;
    const row = this.#objects.add(key, this.#isHere);
    const { rows } = this.#objects;
    rows[row + TYPE] = TYPES.indexOf(type);
    rows[row + DATA_AT] = dataAt;
    rows[row + DATA_LENGTH] = data.length;
    rows[row + DELTA_AT] = deltaAt;
    rows[row + DELTA_LENGTH] = delta?.bytes.length ?? 0;
    rows[row + BASE_KEY] = delta?.baseKey ?? 0;
  }

  /** Where a view starts, counted from the first byte ever reserved; -1 when it is not in the ring. */
  #startOf(view: Uint8Array): number {
    if (view.buffer !== this.#ring.buffer) return -1;
    const { length } = this.#ring;
    const start = Math.floor(this.#head / length) * length + view.byteOffset;
    return start < this.#head ? start : start - length;
  }
}
