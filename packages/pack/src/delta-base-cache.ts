import type { ObjectType } from "@x/objects";

/** An object that was made from a pack entry. */
export interface PackedObject {
  readonly type: ObjectType;
  readonly data: Uint8Array;
  /** How it lies in its pack, if as a delta. */
  readonly delta?: Derivation | undefined;
}

/** A delta and the entry it is to be applied to. */
export interface Derivation {
  /** {@link PackReader.keyOf} the base. */
  readonly baseKey: number;
  readonly bytes: Uint8Array;
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
    const size = sizeOf(object);
    if (size > this.#maxObjectBytes || this.#objects.has(key)) return;
    this.#objects.set(key, object);
    this.#bytes += size;
    if (this.#bytes > this.#maxBytes) this.#sweep();
  }

  /** Makes room for a while: deleting from the front of a map one by one is slow. */
  #sweep(): void {
    for (const [oldest, dropped] of this.#objects) {
      this.#objects.delete(oldest);
      this.#bytes -= sizeOf(dropped);
      if (this.#bytes <= this.#maxBytes * 0.9) return;
    }
  }

  clear(): void {
    this.#objects.clear();
    this.#bytes = 0;
  }
}

function sizeOf({ data, delta }: PackedObject): number {
  return data.length + (delta?.bytes.length ?? 0) + OVERHEAD_BYTES;
}
