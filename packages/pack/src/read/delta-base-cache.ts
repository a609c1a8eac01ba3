import type { ObjectType } from "@x/objects";

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

interface Cached {
  readonly type: ObjectType;
  /** Where the bytes start, counted from the first byte ever reserved. */
  dataAt: number;
  readonly dataLength: number;
  deltaAt: number;
  readonly deltaLength: number;
  readonly baseKey: number;
}

const NO_DELTA = -1;
const MIN_SWEEP = 4096;

/**
 * Objects that deltas were, or are likely to be, applied to. They are made in place, in one ring of memory whose oldest
 * bytes are overwritten: walking a large history makes gigabytes of trees, and to allocate each would keep the garbage
 * collector as busy as the walk. What is still asked for when its end is near moves to the front.
 *
 * One cache serves all packs of a thread: each draws a range of keys as long as itself.
 */
export class DeltaBaseCache {
  readonly #ring: Uint8Array;
  readonly #objects: Map<number, Cached> = new Map();
  /** Bytes reserved so far, gaps at the ring's end included. */
  #head = 0;
  #registered = 0;
  #sweepAt = MIN_SWEEP;

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
    const cached = this.#objects.get(key);
    if (cached === undefined) return undefined;
    const oldest = Math.min(cached.dataAt, cached.deltaAt === NO_DELTA ? Infinity : cached.deltaAt);
    const age = this.#head - oldest;
    if (age > this.#ring.length) {
      this.#objects.delete(key);
      return undefined;
    }
    // What is made of this object, a delta and a result, takes three eighths of the ring at most, with a gap at its end,
    // and must not be written over it.
    if (age > this.#ring.length / 2) {
      if (age > (this.#ring.length * 3) / 4) return undefined; // no room to move it safely
      cached.dataAt = this.#moveToFront(cached.dataAt, cached.dataLength);
      if (cached.deltaAt !== NO_DELTA) cached.deltaAt = this.#moveToFront(cached.deltaAt, cached.deltaLength);
    }
    const { type, baseKey } = cached;
    const data = this.#view(cached.dataAt, cached.dataLength);
    if (cached.deltaAt === NO_DELTA) return { type, data };
    return { type, data, delta: { baseKey, bytes: this.#view(cached.deltaAt, cached.deltaLength) } };
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
    const cached = { type, dataAt, dataLength: data.length, deltaAt, deltaLength: delta?.bytes.length ?? 0 };
    this.#objects.set(key, { ...cached, baseKey: delta?.baseKey ?? 0 });
    if (this.#objects.size >= this.#sweepAt) this.#sweep();
  }

  /** Where a view starts, counted from the first byte ever reserved; -1 when it is not in the ring. */
  #startOf(view: Uint8Array): number {
    if (view.buffer !== this.#ring.buffer) return -1;
    const { length } = this.#ring;
    const start = Math.floor(this.#head / length) * length + view.byteOffset;
    return start < this.#head ? start : start - length;
  }

  #sweep(): void {
    const oldest = this.#head - this.#ring.length;
    for (const [key, { dataAt }] of this.#objects) if (dataAt < oldest) this.#objects.delete(key);
    this.#sweepAt = this.#objects.size * 2 + MIN_SWEEP;
  }
}
