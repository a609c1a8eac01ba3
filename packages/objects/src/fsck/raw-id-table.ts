/** A number below 2^32 that nobody else knows. */
function secret(): number {
  return Math.floor(Math.random() * 0x1_0000_0000);
}

const MIN_SLOTS = 64;

/**
 * Raw ids, each once, in the order they came: 20 or 32 bytes and about 8 more for each. Ids come from trees, where a
 * peer can write what it likes, so that their places are a secret of each table.
 */
export class RawIdTable {
  readonly idLength: number;
  count = 0;
  readonly #multipliers: Int32Array;
  /** Row + 1 of what is there; 0 where nothing is. */
  #slots: Int32Array = new Int32Array(MIN_SLOTS);
  #ids: Uint8Array;

  constructor(idLength: number) {
    this.idLength = idLength;
    this.#multipliers = Int32Array.from({ length: idLength / 2 }, secret);
    this.#ids = new Uint8Array((MIN_SLOTS / 2) * idLength);
  }

  /** The raw id in `row`, a view until the next `add`. */
  id(row: number): Uint8Array {
    return this.#ids.subarray(row * this.idLength, (row + 1) * this.idLength);
  }

  /** The row of the raw id at `at`, or -1. */
  find(bytes: Uint8Array, at = 0): number {
    return this.count === 0 ? -1 : (this.#slots[this.#slot(bytes, at)] as number) - 1;
  }

  /** The row of the raw id at `at`, made when there is none. */
  add(bytes: Uint8Array, at = 0): number {
    let slot = this.#slot(bytes, at);
    const there = this.#slots[slot] as number;
    if (there !== 0) return there - 1;
    if ((this.count + 1) * 2 > this.#slots.length) {
      this.#grow();
      slot = this.#slot(bytes, at);
    }
    this.#ids.set(bytes.subarray(at, at + this.idLength), this.count * this.idLength);
    this.#slots[slot] = ++this.count;
    return this.count - 1;
  }

  /** Where the id is, or would be. */
  #slot(bytes: Uint8Array, at: number): number {
    const slots = this.#slots;
    let slot = this.#hash(bytes, at) & (slots.length - 1);
    for (let row = slots[slot] as number; row !== 0; row = slots[slot] as number) {
      if (this.#isAt(row - 1, bytes, at)) break;
      slot = (slot + 1) & (slots.length - 1);
    }
    return slot;
  }

  #hash(bytes: Uint8Array, at: number): number {
    const multipliers = this.#multipliers;
    let sum = 0;
    for (let i = 0; i < multipliers.length; i++) {
      const pair = ((bytes[at + i * 2] as number) << 8) | (bytes[at + i * 2 + 1] as number);
      sum = (sum + Math.imul(pair, multipliers[i] as number)) | 0;
    }
    // The lower half of such a sum is the weaker one.
    return (sum >>> 16) ^ Math.imul(sum, 0x9e3779b1);
  }

  #isAt(row: number, bytes: Uint8Array, at: number): boolean {
    const ids = this.#ids;
    const start = row * this.idLength;
    for (let i = 0; i < this.idLength; i++) if (ids[start + i] !== bytes[at + i]) return false;
    return true;
  }

  #grow(): void {
    const ids = new Uint8Array(this.#ids.length * 2);
    ids.set(this.#ids);
    this.#ids = ids;
    this.#slots = new Int32Array(this.#slots.length * 2);
    for (let row = 0; row < this.count; row++) this.#slots[this.#slot(ids, row * this.idLength)] = row + 1;
  }
}
