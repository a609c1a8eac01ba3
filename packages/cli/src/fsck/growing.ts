type Column = Uint8Array | Uint32Array;

const START = 1024;

/** Numbers by row, as many as there are; those that were never set are 0. */
export class Growing {
  #column: Column;

  constructor(make: new (length: number) => Column) {
    this.#column = new make(START);
  }

  get(row: number): number {
    return this.#column[row] ?? 0;
  }

  set(row: number, value: number): void {
    if (row >= this.#column.length) {
      const make = this.#column.constructor as new (length: number) => Column;
      const column = new make(Math.max(this.#column.length * 2, row + 1));
      column.set(this.#column);
      this.#column = column;
    }
    this.#column[row] = value;
  }
}
