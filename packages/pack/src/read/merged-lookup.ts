import type { PackIndex } from "../format/pack-index.ts";

/**
 * Finds an object in any of several indexes at the price of one: an open-addressed table of object numbers under the
 * ids' first bytes. Of copies, the one in the earlier index counts. 4 bytes a slot, one to two thirds full.
 */
export class MergedLookup {
  readonly #indexes: readonly PackIndex[];
  readonly #starts: readonly number[];
  readonly #slots: Int32Array;
  readonly #mask: number;

  /** @param starts the number of each index's first object */
  constructor(indexes: readonly PackIndex[], starts: readonly number[]) {
    this.#indexes = indexes;
    this.#starts = starts;
    const count = indexes.reduce((sum, index) => sum + index.count, 0);
    const size = count === 0 ? 0 : 2 ** Math.ceil(Math.log2(count * 1.5 + 1));
    this.#slots = new Int32Array(size).fill(-1);
    this.#mask = size - 1;
    for (const [i, index] of indexes.entries())
      for (let position = 0; position < index.count; position++) {
        const id = index.rawId(position);
        let slot = this.#hash(id, 0);
        let taken = false;
        while (this.#slots[slot] !== -1 && !taken) {
          taken = this.#holds(this.#slots[slot] as number, id, 0);
          slot = (slot + 1) & this.#mask;
        }
        if (!taken) this.#slots[slot] = (starts[i] as number) + position;
      }
  }

  /** The number of the object whose raw id stands in `bytes` at `at`; -1 when none of the indexes has it. */
  find(bytes: Uint8Array, at: number): number {
    if (this.#mask < 0) return -1;
    for (let slot = this.#hash(bytes, at); ; slot = (slot + 1) & this.#mask) {
      const number = this.#slots[slot] as number;
      if (number === -1 || this.#holds(number, bytes, at)) return number;
    }
  }

  #hash(bytes: Uint8Array, at: number): number {
    const hash =
      ((bytes[at] as number) << 24) |
      ((bytes[at + 1] as number) << 16) |
      ((bytes[at + 2] as number) << 8) |
      (bytes[at + 3] as number);
    return (hash >>> 0) & this.#mask;
  }

  #holds(number: number, bytes: Uint8Array, at: number): boolean {
    let i = this.#starts.length - 1;
    while ((this.#starts[i] as number) > number) i--;
    const id = (this.#indexes[i] as PackIndex).rawId(number - (this.#starts[i] as number));
    for (let k = 0; k < id.length; k++) if (id[k] !== bytes[at + k]) return false;
    return true;
  }
}
