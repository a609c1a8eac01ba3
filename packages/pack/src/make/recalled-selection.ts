import type { RememberedAnswer } from "../read/answer-memory.ts";
import type { ObjectTable } from "../read/object-table.ts";
import { IntList } from "../walk/object-notes.ts";
import { forTagChain, type Selection, type TagEnds } from "../walk/selection.ts";

/**
 * What is remembered of an answer, as a selection. All who are sent the same share it: a client that does not read holds
 * nothing of its own here.
 */
export class RecalledSelection implements Selection {
  readonly knowsLikeness = false;
  readonly #table: ObjectTable;
  readonly #packed: RememberedAnswer["packed"];
  /** Beside what is remembered: loose objects and tags. */
  readonly #added: Set<number>;
  readonly #dropped: Set<number> = new Set();
  readonly #tagEnds: TagEnds = new Map();
  #few: IntList | undefined;
  count: number;

  /** @param loose the numbers that the answer's loose objects have now */
  constructor(table: ObjectTable, { packed, packedCount }: RememberedAnswer, loose: readonly number[]) {
    this.#table = table;
    this.#packed = packed;
    this.#added = new Set(loose.filter((number) => !this.#isRemembered(number)));
    this.count = packedCount + this.#added.size;
    if (!(packed instanceof Int32Array)) return;
    this.#few = new IntList();
    for (const number of packed) this.#few.push(number);
    for (const number of this.#added) this.#few.push(number);
  }

  get few(): IntList | undefined {
    return this.#few;
  }

  #isRemembered(number: number): boolean {
    const packed = this.#packed;
    if (packed instanceof Uint8Array) return (((packed[number >> 3] ?? 0) >> (number & 7)) & 1) !== 0;
    let low = 0;
    for (let high = packed.length; low < high; ) {
      const middle = (low + high) >>> 1;
      if ((packed[middle] as number) < number) low = middle + 1;
      else high = middle;
    }
    return packed[low] === number;
  }

  isSelected(number: number): boolean {
    if (this.#dropped.size > 0 && this.#dropped.has(number)) return false;
    return this.#isRemembered(number) || (this.#added.size > 0 && this.#added.has(number));
  }

  /** Only requests of those who have nothing are remembered. */
  isHad(): boolean {
    return false;
  }

  likeness(): number {
    return -1;
  }

  selectTag(number: number): void {
    const select = (tag: number): void => {
      if (this.isSelected(tag)) return;
      if (!this.#dropped.delete(tag)) this.#added.add(tag);
      this.#few?.push(tag);
      this.count++;
    };
    forTagChain(this.#table, number, select, this.#tagEnds);
  }

  drop(number: number): boolean {
    if (!this.isSelected(number)) return false;
    this.#dropped.add(number);
    this.count--;
    return true;
  }
}
