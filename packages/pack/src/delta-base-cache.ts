import type { ObjectType } from "@x/objects";

/** An object that was made from a pack entry. */
export interface PackedObject {
  readonly type: ObjectType;
  readonly data: Uint8Array;
}

/** What an entry costs beside its data. Unit: bytes. */
const OVERHEAD_BYTES = 200;

/**
 * Objects that deltas were, or are likely to be, applied to; the least recently used go first. One cache serves all packs
 * of a store: each pack draws a key range with `register`.
 */
export class DeltaBaseCache {
  readonly #maxBytes: number;
  readonly #maxObjectBytes: number;
  readonly #objects: Map<number, PackedObject> = new Map();
  #bytes = 0;
  #packs = 0;

  /** @param maxBytes all objects together; one object may take a quarter of it. Unit: bytes. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
    this.#maxObjectBytes = maxBytes / 4;
  }

  /** The first key of a range of 2^40 that nobody else has. */
  register(): number {
    return this.#packs++ * 2 ** 40;
  }

  get(key: number): PackedObject | undefined {
    const object = this.#objects.get(key);
    if (object !== undefined) {
      this.#objects.delete(key);
      this.#objects.set(key, object);
    }
    return object;
  }

  set(key: number, object: PackedObject): void {
    const size = object.data.length + OVERHEAD_BYTES;
    if (size > this.#maxObjectBytes || this.#objects.has(key)) return;
    this.#objects.set(key, object);
    this.#bytes += size;
    if (this.#bytes <= this.#maxBytes) return;
    for (const [oldest, { data }] of this.#objects) {
      this.#objects.delete(oldest);
      this.#bytes -= data.length + OVERHEAD_BYTES;
      if (this.#bytes <= this.#maxBytes) return;
    }
  }

  clear(): void {
    this.#objects.clear();
    this.#bytes = 0;
  }
}
