import { RowTable } from "../format/row-table.ts";

/*
 * What is kept of each list, in the row under its key. Its start is counted from the first number ever added.
 */
const START = 0;
const LENGTH = 1;
const PLACE = 2;
const COLUMNS = 3;

/** The ring begins with room for so many numbers: most walks are short. */
const INITIAL_SIZE = 16_384;

/**
 * Lists of ascending numbers under keys, in one ring of a fixed size: the oldest lists are overwritten. Nothing is
 * allocated for a list, which counts when there is one for each of 100,000 trees.
 */
export class BoundaryRing {
  #ring: Uint32Array;
  readonly #size: number;
  readonly #lists = new RowTable(COLUMNS);
  readonly #isHere = (row: number): boolean =>
    (this.#lists.rows[row + START] as number) >= this.#added - this.#size;
  /** Numbers added so far; the ring holds the latest of them. */
  #added = 0;
  #start = 0;

  /** @param size how many numbers are kept */
  constructor(size: number) {
    this.#size = size;
    this.#ring = new Uint32Array(Math.min(size, INITIAL_SIZE));
  }

  /** Opens a new list. What was added since an earlier `begin` without `end` is forgotten. */
  begin(): void {
    this.#start = this.#added;
  }

  add(value: number): void {
    if (this.#added === this.#ring.length && this.#added < this.#size) this.#grow();
    this.#ring[this.#added++ % this.#ring.length] = value;
  }

  /** Adds `list[from … to)`, each greater by `shift`. */
  addShifted(list: BoundaryList, from: number, to: number, shift: number): void {
    while (this.#added + to - from > this.#ring.length && this.#ring.length < this.#size) this.#grow();
    const ring = this.#ring;
    const source = list.ring;
    let read = (list.start + from) % source.length;
    let write = this.#added % ring.length;
    for (let count = to - from; count > 0; count--) {
      ring[write] = (source[read] as number) + shift;
      if (++read === source.length) read = 0;
      if (++write === ring.length) write = 0;
    }
    this.#added += to - from;
  }

  /** Only while nothing was overwritten yet. Whoever reads a list goes on reading the ring it was found in. */
  #grow(): void {
    const ring = new Uint32Array(Math.min(this.#size, this.#ring.length * 2));
    ring.set(this.#ring);
    this.#ring = ring;
  }

  /** Keeps the list just made under `key`. @param place see {@link get} */
  end(key: number, place = 0): void {
    const row = this.#lists.add(key, this.#isHere);
    const { rows } = this.#lists;
    rows[row + START] = this.#start;
    rows[row + LENGTH] = this.#added - this.#start;
    rows[row + PLACE] = place;
  }

  /**
   * A copy-free reader for the list under `key`; `undefined` when it is gone, or was kept for another place than `place`
   * and not for all, which is place 0. Holds while fewer than `spare` numbers are added.
   */
  get(key: number, spare: number, place = 0): BoundaryList | undefined {
    const row = this.#lists.find(key);
    if (row < 0) return undefined;
    const { rows } = this.#lists;
    const start = rows[row + START] as number;
    if (rows[row + PLACE] !== 0 && rows[row + PLACE] !== place) return undefined;
    if (start < this.#added + spare - this.#size) return undefined;
    return new BoundaryList(this.#ring, start, rows[row + LENGTH] as number);
  }
}

/** One list of a {@link BoundaryRing}. */
export class BoundaryList {
  readonly ring: Uint32Array;
  /** Where it starts in a ring without end. */
  readonly start: number;
  readonly length: number;

  constructor(ring: Uint32Array, start: number, length: number) {
    this.ring = ring;
    this.start = start;
    this.length = length;
  }

  at(index: number): number {
    return this.ring[(this.start + index) % this.ring.length] as number;
  }

  /** The first index whose value is not below `value`; `length` when all are. */
  lowerBound(value: number): number {
    let low = 0;
    let high = this.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.at(middle) < value) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
