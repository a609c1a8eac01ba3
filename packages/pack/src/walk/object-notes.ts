/** A byte of notes for each object of an {@link ObjectTable}, 0 to begin with; grows as numbers do. */
export class ObjectFlags {
  #bytes: Uint8Array;
  #further: ((number: number) => number) | undefined;

  constructor(count: number) {
    this.#bytes = new Uint8Array(count + 64);
  }

  get(number: number): number {
    const own = this.#bytes[number] ?? 0;
    return this.#further === undefined ? own : own | this.#further(number);
  }

  /** Only what was {@link set}. */
  own(number: number): number {
    return this.#bytes[number] ?? 0;
  }

  /** Has {@link get} give the notes that `further` tells of an object as well. */
  addNotes(further: (number: number) => number): void {
    this.#further = further;
  }

  set(number: number, bits: number): void {
    if (number >= this.#bytes.length) this.#grow(number);
    this.#bytes[number] = (this.#bytes[number] as number) | bits;
  }

  clear(number: number, bits: number): void {
    if (number < this.#bytes.length) this.#bytes[number] = (this.#bytes[number] as number) & ~bits;
  }

  #grow(number: number): void {
    const bytes = new Uint8Array(number * 2);
    bytes.set(this.#bytes);
    this.#bytes = bytes;
  }
}

/** A list of 32-bit integers that grows. */
export class IntList {
  #items: Int32Array = new Int32Array(256);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  get(index: number): number {
    return this.#items[index] as number;
  }

  /** Puts `item` in the place of an item that is there. */
  set(index: number, item: number): void {
    this.#items[index] = item;
  }

  push(item: number): void {
    if (this.#length === this.#items.length) {
      const items = new Int32Array(this.#length * 2);
      items.set(this.#items);
      this.#items = items;
    }
    this.#items[this.#length++] = item;
  }

  /** The last item, taken off; -1 when there is none. */
  pop(): number {
    return this.#length === 0 ? -1 : (this.#items[--this.#length] as number);
  }
}
