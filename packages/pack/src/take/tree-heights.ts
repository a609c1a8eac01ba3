import { IntList } from "../walk/object-notes.ts";
import { type EntryTable, NO_BASE } from "./entry-table.ts";

const IN_PROGRESS = -1;
const UNKNOWN = 0;

/**
 * How deep the trees of a pack may be nested, from links that are noted as they are met. A tree that came as a delta is
 * taken to have all that its base has as well: so the answer may be too high, but never too low.
 */
export class TreeHeights {
  readonly #parents = new IntList();
  readonly #children = new IntList();

  /** How many links were noted. */
  get links(): number {
    return this.#parents.length;
  }

  /** The tree in `row` has the object that stands for `reference` as a directory. */
  link(row: number, reference: number): void {
    this.#parents.push(row);
    this.#children.push(reference);
  }

  /**
   * Whether no tree of the pack has more than `max` levels of the pack's trees below each other, itself included.
   * @param rowOf the row of what stands for a reference; -1 when it did not come
   * @returns `false` also when it cannot be told
   */
  isWithin(max: number, entries: EntryTable, received: number, rowOf: Int32Array): boolean {
    const starts = new Int32Array(received + 1);
    for (let i = 0; i < this.links; i++) this.#count(starts, this.#parents.get(i) + 1);
    for (let row = 0; row < received; row++)
      starts[row + 1] = (starts[row + 1] as number) + (starts[row] as number);
    const children = new Int32Array(this.links);
    const filled = starts.slice(0, received);
    for (let i = 0; i < this.links; i++) {
      const parent = this.#parents.get(i);
      children[filled[parent] as number] = rowOf[this.#children.get(i)] as number;
      this.#count(filled, parent);
    }
    const heights = new Int32Array(received);
    const next = starts.slice(0, received);
    const path = new IntList();
    for (let row = 0; row < received; row++)
      if (
        heights[row] === UNKNOWN &&
        !descend(row, { max, entries, received, starts, children, heights, next, path })
      )
        return false;
    return true;
  }

  #count(counts: Int32Array, at: number): void {
    counts[at] = (counts[at] as number) + 1;
  }
}

interface Search {
  readonly max: number;
  readonly entries: EntryTable;
  readonly received: number;
  /** Where each row's children stand in `children`. */
  readonly starts: Int32Array;
  readonly children: Int32Array;
  /** Levels, once known. */
  readonly heights: Int32Array;
  /** The child of each row whose turn is next. */
  readonly next: Int32Array;
  readonly path: IntList;
}

/** Finds the height of `start`, depth first. @returns `false` when it is too high, or goes round in a circle */
function descend(start: number, search: Search): boolean {
  const { max, entries, received, starts, children, heights, next, path } = search;
  const enter = (row: number): boolean => {
    if (row < 0 || row >= received || (heights[row] as number) > UNKNOWN) return true;
    if (heights[row] === IN_PROGRESS) return false;
    heights[row] = IN_PROGRESS;
    path.push(row);
    return true;
  };
  enter(start);
  while (path.length > 0) {
    const row = path.get(path.length - 1);
    const base = entries.bases[row] as number;
    if (base !== NO_BASE && base < received && heights[base] === UNKNOWN) {
      enter(base);
      continue;
    }
    if (base !== NO_BASE && heights[base] === IN_PROGRESS) return false;
    const end = starts[row + 1] as number;
    let at = next[row] as number;
    const depth = path.length;
    while (at < end) {
      if (!enter(children[at] as number)) return false;
      if (path.length > depth) break;
      at++;
    }
    next[row] = at;
    if (path.length > depth) continue;
    let height = base !== NO_BASE && base < received ? (heights[base] as number) : 1;
    for (let i = starts[row] as number; i < end; i++) {
      const child = children[i] as number;
      if (child >= 0 && child < received) height = Math.max(height, 1 + (heights[child] as number));
    }
    if (height > max) return false;
    heights[row] = height;
    path.pop();
  }
  return true;
}
