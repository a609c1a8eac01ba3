import { ENTRY_OFS_DELTA, ENTRY_REF_DELTA } from "../format/entry-header.ts";
import { compareIds, sortIds } from "../format/sort-ids.ts";
import { type EntryTable, NO_BASE } from "./entry-table.ts";

/** No row. */
export const NONE = -1;

/**
 * Which deltas hang on which entry. Children by offset are known from the start; children by id join their base when
 * its id is known. The child with the largest tree below it is the last of its siblings: whoever walks depth first and
 * drops a base when its last child's turn comes holds at most log2(n) bases at a time.
 */
export class DeltaTree {
  readonly #entries: EntryTable;
  /** First child of each row, and next sibling. */
  readonly #first: Int32Array;
  readonly #next: Int32Array;
  /** REF_DELTAs in the order of their bases' ids, and those ids. */
  readonly #byBase: Uint32Array;
  readonly #baseIds: Uint8Array;
  /** REF_DELTAs whose bases are not known yet. */
  #unattached: number;

  constructor(entries: EntryTable) {
    this.#entries = entries;
    const refs: number[] = [];
    for (let row = 0; row < entries.count; row++) if (entries.types[row] === ENTRY_REF_DELTA) refs.push(row);
    // Each base that is fetched from elsewhere becomes a row.
    this.#first = new Int32Array(entries.count + refs.length).fill(NONE);
    this.#next = new Int32Array(entries.count).fill(NONE);
    const { idLength } = entries;
    const ids = new Uint8Array(refs.length * idLength);
    for (const [i, row] of refs.entries()) ids.set(entries.id(row), i * idLength);
    const order = sortIds(ids, refs.length, idLength);
    this.#unattached = refs.length;
    this.#byBase = new Uint32Array(refs.length);
    this.#baseIds = new Uint8Array(ids.length);
    for (let i = 0; i < order.length; i++) {
      const from = order[i] as number;
      this.#byBase[i] = refs[from] as number;
      this.#baseIds.set(ids.subarray(from * idLength, (from + 1) * idLength), i * idLength);
    }
    this.#linkByOffset();
  }

  #linkByOffset(): void {
    const { bases, types, count } = this.#entries;
    const weights = new Int32Array(count).fill(1);
    const heaviest = new Int32Array(count).fill(NONE);
    // A base by offset stands before its deltas: from the end, every weight is whole when it is added.
    for (let row = count - 1; row >= 0; row--) {
      const base = bases[row] as number;
      if (types[row] !== ENTRY_OFS_DELTA || base === NO_BASE) continue;
      const weight = weights[row] as number;
      weights[base] = (weights[base] as number) + weight;
      const rival = heaviest[base] as number;
      if (rival === NONE || weight > (weights[rival] as number)) heaviest[base] = row;
    }
    for (let row = 0; row < count; row++)
      if ((heaviest[row] as number) !== NONE) this.#link(heaviest[row] as number, row);
    for (let row = count - 1; row >= 0; row--) {
      const base = bases[row] as number;
      if (types[row] === ENTRY_OFS_DELTA && base !== NO_BASE && heaviest[base] !== row) this.#link(row, base);
    }
  }

  #link(row: number, base: number): void {
    this.#next[row] = this.#first[base] as number;
    this.#first[base] = row;
  }

  /** Links the deltas that name `row`'s id, which has just become known, as their base. */
  attach(row: number): void {
    if (this.#byBase.length === 0) return;
    const { ids, idLength, bases } = this.#entries;
    const at = row * idLength;
    let low = 0;
    let high = this.#byBase.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareIds(this.#baseIds, middle * idLength, ids, at, idLength) < 0) low = middle + 1;
      else high = middle;
    }
    for (; low < this.#byBase.length; low++) {
      if (compareIds(this.#baseIds, low * idLength, ids, at, idLength) !== 0) return;
      const delta = this.#byBase[low] as number;
      // An id that turns up twice is refused later; its deltas have their base already.
      if (bases[delta] !== NO_BASE) continue;
      bases[delta] = row;
      this.#unattached--;
      this.#link(delta, row);
    }
  }

  /** Whether there may be deltas on `row`, whose id is not known yet. */
  mayHaveChildren(row: number): boolean {
    return this.#unattached > 0 || this.#first[row] !== NONE;
  }

  /** The first delta on `row`; {@link NONE} when there is none. */
  firstChild(row: number): number {
    return this.#first[row] as number;
  }

  /** The next delta on the same base as `row`. */
  nextSibling(row: number): number {
    return this.#next[row] as number;
  }
}
