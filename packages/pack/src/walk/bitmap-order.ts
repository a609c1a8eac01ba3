import { type ObjectType, objectIdToBytes } from "@x/objects";
import type { BitSet } from "../format/bit-set.ts";
import type { BitmapIndex } from "../format/bitmap-index.ts";
import type { ObjectTable } from "../read/object-table.ts";
import type { PackBitmaps } from "../read/pack-bitmaps.ts";
import type { PackReader } from "../read/pack-reader.ts";

/** The bitmaps of one pack of an {@link ObjectTable}, and which bit stands for which object of the table. */
export class BitmapOrder {
  readonly bitmaps: BitmapIndex;
  readonly #owner: PackBitmaps;
  readonly #table: ObjectTable;
  readonly #packNumber: number;
  readonly #pack: PackReader;
  readonly #start: number;

  private constructor(table: ObjectTable, packNumber: number, owner: PackBitmaps, bitmaps: BitmapIndex) {
    this.bitmaps = bitmaps;
    this.#owner = owner;
    this.#table = table;
    this.#packNumber = packNumber;
    this.#pack = table.packs[packNumber] as PackReader;
    this.#start = table.startOf(packNumber);
  }

  /** Of the largest pack that has bitmaps; `undefined` when none has any that can be used. */
  static of(table: ObjectTable): BitmapOrder | undefined {
    for (const [number, { bitmaps: owner }] of table.packs.entries()) {
      const bitmaps = owner?.open();
      if (owner !== undefined && bitmaps !== undefined) return new BitmapOrder(table, number, owner, bitmaps);
    }
    return undefined;
  }

  /** Makes ready what telling bits takes. Yields every few milliseconds. */
  prepare(): Generator<undefined, void> {
    return this.#pack.index.prepareOrder();
  }

  /** The number of the object that a bit stands for. */
  numberOf(bit: number): number {
    const { index } = this.#pack;
    const position = index.order[bit] as number;
    // An object that lies in a larger pack, too, has its number from there.
    return this.#packNumber === 0 ? position : this.#table.findPacked(index.rawId(position), 0);
  }

  /** The bit of an object; -1 when it is not in the pack. */
  bitOf(number: number): number {
    const position = this.#positionOf(number);
    return position < 0 ? -1 : (this.#pack.index.ranks[position] as number);
  }

  /**
   * Adds what a commit reaches to `into`, by way of `scratch`.
   * @returns false when the commit has no bitmap, `undefined` when the bitmaps are broken
   */
  addReach(commit: number, into: BitSet, scratch: BitSet): boolean | undefined {
    const position = this.#positionOf(commit);
    if (position < 0 || !this.bitmaps.has(position)) return false;
    return this.#owner.orGiveUp(() => {
      scratch.clear();
      this.bitmaps.read(position, scratch);
      into.or(scratch);
      return true;
    });
  }

  /** Which bits stand for objects of a type; `undefined` when the bitmaps are broken. */
  type(type: ObjectType): BitSet | undefined {
    return this.#owner.orGiveUp(() => this.bitmaps.type(type));
  }

  #positionOf(number: number): number {
    const packNumber = this.#table.packOf(number);
    if (packNumber === this.#packNumber) return number - this.#start;
    const mayBeHere = packNumber >= 0 && packNumber < this.#packNumber;
    return mayBeHere ? this.#pack.index.find(objectIdToBytes(this.#table.id(number)), 0) : -1;
  }
}
