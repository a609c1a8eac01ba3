/**
 * By how much each stretch of a pack is moved in the pack that is written from it. A stretch starts where it was added and
 * ends where the next one starts; they are added in ascending order.
 */
export class ShiftMap {
  readonly #starts: number[] = [];
  readonly #shifts: number[] = [];

  add(start: number, shift: number): void {
    const last = this.#shifts.length - 1;
    if (this.#shifts[last] === shift && last >= 0) return;
    this.#starts.push(start);
    this.#shifts.push(shift);
  }

  /** The shift of the stretch that `offset` lies in. */
  at(offset: number): number {
    let low = 0;
    let high = this.#starts.length;
    // Bases are mostly near: the newest stretch is looked at first.
    if (high > 0 && (this.#starts[high - 1] as number) <= offset) return this.#shifts[high - 1] as number;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#starts[middle] as number) <= offset) low = middle + 1;
      else high = middle;
    }
    return this.#shifts[low - 1] as number;
  }
}
