import { sortPositionsInSteps } from "../format/sort-positions.ts";
import type { ObjectTable } from "../read/object-table.ts";
import { IntList } from "./object-notes.ts";

/** The same object is given each time, with other values. */
interface WaitingTree {
  readonly tree: number;
  readonly place: number;
}

/** Trees that wait to be opened, each with the place it was met at. */
export class TreeLevel {
  readonly #trees = new IntList();
  readonly #places = new IntList();

  get length(): number {
    return this.#trees.length;
  }

  push(tree: number, place: number): void {
    this.#trees.push(tree);
    this.#places.push(place);
  }

  /**
   * In the order in which they lie. Reading then runs forward, and a tree is mostly seen before those that are deltas of
   * it, which the scanner needs to be quick. Yields `undefined` while they are being put in order.
   */
  *inOrder(table: ObjectTable): Generator<WaitingTree | undefined, void> {
    const step = { tree: 0, place: 0 };
    const order = yield* sortPositionsInSteps(this.length, (i) => table.locality(this.#trees.get(i)));
    for (const i of order) {
      step.tree = this.#trees.get(i);
      step.place = this.#places.get(i);
      yield step;
    }
  }
}
