/** The table begins with so many places. A power of two. */
const INITIAL_PLACES = 1024;

/**
 * Raw ids, each with a byte of notes, in typed arrays: about 32 bytes for each. Ids are the peer's to choose, so they are
 * spread by numbers that nobody knows beforehand.
 */
export class IdNotes {
  count = 0;
  /** A row for each id. */
  ids: Uint8Array;
  notes: Uint8Array;
  readonly #idLength: number;
  /** Row + 1; 0 where there is none. */
  #places: Uint32Array = new Uint32Array(INITIAL_PLACES);
  readonly #factors: Uint32Array;

  constructor(idLength: number) {
    this.#idLength = idLength;
    this.ids = new Uint8Array((INITIAL_PLACES / 2) * idLength);
    this.notes = new Uint8Array(INITIAL_PLACES / 2);
    this.#factors = crypto.getRandomValues(new Uint32Array(idLength / 4));
  }

  /** Adds `bits` to the notes of the id at `bytes[at]`, which is added when it is new. @returns its row */
  add(bytes: Uint8Array, at: number, bits: number): number {
    const place = this.#place(bytes, at);
    const row = (this.#places[place] as number) - 1;
    if (row >= 0) {
      this.notes[row] = (this.notes[row] as number) | bits;
      return row;
    }
    if (this.count === this.notes.length) {
      this.#grow();
      return this.add(bytes, at, bits);
    }
    const added = this.count++;
    this.#places[place] = added + 1;
    for (let i = 0; i < this.#idLength; i++) this.ids[added * this.#idLength + i] = bytes[at + i] as number;
    this.notes[added] = bits;
    return added;
  }

  /** The row of the id at `bytes[at]`; -1 when there is none. */
  find(bytes: Uint8Array, at: number): number {
    return (this.#places[this.#place(bytes, at)] as number) - 1;
  }

  /** Where the id stands, or would. */
  #place(bytes: Uint8Array, at: number): number {
    const mask = this.#places.length - 1;
    let hash = 0;
    for (let i = 0, word = at; i < this.#factors.length; i++, word += 4) {
      const value =
        (bytes[word] as number) |
        ((bytes[word + 1] as number) << 8) |
        ((bytes[word + 2] as number) << 16) |
        ((bytes[word + 3] as number) << 24);
      hash = (hash + Math.imul(value, (this.#factors[i] as number) | 1)) | 0;
    }
    hash ^= hash >>> 15;
    for (let place = hash & mask; ; place = (place + 1) & mask) {
      const row = (this.#places[place] as number) - 1;
      if (row < 0 || this.#isAt(row, bytes, at)) return place;
    }
  }

  #isAt(row: number, bytes: Uint8Array, at: number): boolean {
    const start = row * this.#idLength;
    for (let i = 0; i < this.#idLength; i++) if (this.ids[start + i] !== bytes[at + i]) return false;
    return true;
  }

  #grow(): void {
    const { ids, notes } = this;
    this.ids = new Uint8Array(ids.length * 2);
    this.ids.set(ids);
    this.notes = new Uint8Array(notes.length * 2);
    this.notes.set(notes);
    this.#places = new Uint32Array(this.#places.length * 2);
    for (let row = 0; row < this.count; row++)
      this.#places[this.#place(this.ids, row * this.#idLength)] = row + 1;
  }
}
