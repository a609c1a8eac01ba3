/** Multiplies the high half of a key, so that keys 2^32 apart differ. Any odd number that is not small does. */
const HIGH_FACTOR = 0x9e3779b1;
const EMPTY: number = -Infinity;
const MIN_SLOTS = 256;

/**
 * Rows of numbers under keys, which are integers up to 2^53 either way: a `Map` of objects for those who keep hundreds
 * of thousands for a second, without an object each for the garbage collector to carry along.
 */
export class RowTable {
  readonly #width: number;
  /** Drawn anew for each table: who chooses the keys cannot make them all meet. */
  readonly #factor: number = Math.floor(Math.random() * 0x80000000) * 2 + 1;
  #slots: number = MIN_SLOTS;
  #shift: number = 32 - Math.log2(MIN_SLOTS);
  #keys: Float64Array = new Float64Array(MIN_SLOTS).fill(EMPTY);
  #rows: Float64Array;
  #size = 0;

  /** @param width numbers in a row */
  constructor(width: number) {
    this.#width = width;
    this.#rows = new Float64Array(MIN_SLOTS * width);
  }

  /** Rows that there are. */
  get size(): number {
    return this.#size;
  }

  /** The array that all rows are in: another one after each {@link add}. */
  get rows(): Float64Array {
    return this.#rows;
  }

  /** Where in {@link rows} the row under `key` starts; -1 when there is none. */
  find(key: number): number {
    const slot = this.#slotOf(key);
    return this.#keys[slot] === key ? slot * this.#width : -1;
  }

  /**
   * As {@link find}; makes the row when there is none.
   * @param isKept asked about each row, by where it starts, when there is no room: those it denies are dropped
   */
  add(key: number, isKept: (row: number) => boolean): number {
    let slot = this.#slotOf(key);
    if (this.#keys[slot] !== key) {
      if (this.#size * 2 >= this.#slots) {
        this.#rebuild(isKept);
        slot = this.#slotOf(key);
      }
      this.#keys[slot] = key;
      this.#size++;
    }
    return slot * this.#width;
  }

  /** The slot that has `key`, or the empty one that it would go to. */
  #slotOf(key: number): number {
    const keys = this.#keys;
    const last = this.#slots - 1;
    const mixed = (key | 0) ^ Math.imul((key / 0x100000000) | 0, HIGH_FACTOR);
    let slot = Math.imul(mixed, this.#factor) >>> this.#shift;
    for (let there = keys[slot]; there !== key && there !== EMPTY; there = keys[slot])
      slot = (slot + 1) & last;
    return slot;
  }

  #rebuild(isKept: (row: number) => boolean): void {
    const width = this.#width;
    const keys = this.#keys;
    const rows = this.#rows;
    let kept = 0;
    for (let slot = 0; slot < keys.length; slot++) {
      if (keys[slot] === EMPTY) continue;
      if (isKept(slot * width)) kept++;
      else keys[slot] = EMPTY;
    }
    // At least half of what may be used is free then: to rebuild for every few rows would take forever.
    let slots = MIN_SLOTS;
    while (kept * 4 > slots) slots *= 2;
    this.#slots = slots;
    this.#shift = 32 - Math.log2(slots);
    this.#keys = new Float64Array(slots).fill(EMPTY);
    this.#rows = new Float64Array(slots * width);
    this.#size = kept;
    for (let from = 0; from < keys.length; from++) {
      const key = keys[from] as number;
      if (key === EMPTY) continue;
      const slot = this.#slotOf(key);
      this.#keys[slot] = key;
      for (let i = 0; i < width; i++) this.#rows[slot * width + i] = rows[from * width + i] as number;
    }
  }
}
