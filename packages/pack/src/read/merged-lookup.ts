import type { PackIndex } from "../format/pack-index.ts";

/**
 * Finds an object in any of several indexes at the price of one: an open-addressed table of object numbers under the
 * ids' first bytes. Of copies, the one in the earlier index counts. 4 bytes a slot, one to two thirds full.
 */
export class MergedLookup {
  readonly #indexes: PackIndex[] = [];
  readonly #starts: number[] = [];
  #slots: Int32Array = new Int32Array(0);
  #mask = -1;
  #count = 0;
  #end: number;

  /** @param start the number of the first object of the first index; those of the others follow */
  constructor(indexes: readonly PackIndex[], start: number) {
    this.#end = start;
    this.#make(indexes.reduce((sum, index) => sum + index.count, 0));
    for (const index of indexes) this.add(index);
  }

  /** The number after the last object's. */
  get end(): number {
    return this.#end;
  }

  /** One index more, whose objects get the next numbers. */
  add(index: PackIndex): void {
    const start = this.#end;
    this.#indexes.push(index);
    this.#starts.push(start);
    this.#end += index.count;
    this.#count += index.count;
    if (this.#count * 3 > this.#slots.length * 2) this.#grow();
    for (let position = 0; position < index.count; position++)
      this.#put(index.rawId(position), start + position);
  }

  /** The number of the object whose raw id stands in `bytes` at `at`; -1 when none of the indexes has it. */
  find(bytes: Uint8Array, at: number): number {
    if (this.#mask < 0) return -1;
    for (let slot = this.#hash(bytes, at); ; slot = (slot + 1) & this.#mask) {
      const number = this.#slots[slot] as number;
      if (number === -1 || this.#holds(number, bytes, at)) return number;
    }
  }

  #make(count: number): void {
    const size = count === 0 ? 0 : 2 ** Math.ceil(Math.log2(count * 1.5 + 1));
    this.#slots = new Int32Array(size).fill(-1);
    this.#mask = size - 1;
  }

  #grow(): void {
    const numbers = this.#slots;
    this.#make(this.#count);
    for (const number of numbers) if (number !== -1) this.#put(this.#rawId(number), number);
  }

  #put(id: Uint8Array, number: number): void {
    let slot = this.#hash(id, 0);
    for (; this.#slots[slot] !== -1; slot = (slot + 1) & this.#mask)
      if (this.#holds(this.#slots[slot] as number, id, 0)) return;
    this.#slots[slot] = number;
  }

  #hash(bytes: Uint8Array, at: number): number {
    const hash =
      ((bytes[at] as number) << 24) |
      ((bytes[at + 1] as number) << 16) |
      ((bytes[at + 2] as number) << 8) |
      (bytes[at + 3] as number);
    return (hash >>> 0) & this.#mask;
  }

  #rawId(number: number): Uint8Array {
    let i = this.#starts.length - 1;
    while ((this.#starts[i] as number) > number) i--;
    return (this.#indexes[i] as PackIndex).rawId(number - (this.#starts[i] as number));
  }

  #holds(number: number, bytes: Uint8Array, at: number): boolean {
    const id = this.#rawId(number);
    for (let k = 0; k < id.length; k++) if (id[k] !== bytes[at + k]) return false;
    return true;
  }
}
