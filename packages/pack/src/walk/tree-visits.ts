import { PackError } from "../errors.ts";
import { ALL, NONE } from "./sparse-places.ts";

/** 2^31: no object has a number so high. */
const NUMBERS = 0x80000000;

/** Which trees were looked at, at which places, and how many that may be. */
export class TreeVisits {
  readonly #most: number;
  #count = 0;
  /** Where trees were looked at other than at {@link ALL} and {@link NONE}. */
  readonly #places: Set<number> = new Set();

  /** @param most trees that may be looked into, each as often as it is */
  constructor(most: number = Infinity) {
    this.#most = most;
  }

  /** Notes a place of a tree. @returns whether it is news */
  add(tree: number, place: number): boolean {
    if (place === ALL || place === NONE) return true;
    const { size } = this.#places;
    return this.#places.add(place * NUMBERS + tree).size > size;
  }

  /** To be called when a tree is looked into. @throws PackError `pack/limit-exceeded` */
  count(): void {
    if (++this.#count > this.#most)
      throw new PackError(
        "pack/limit-exceeded",
        `more trees to look into than maxTreeVisits (${this.#most})`,
      );
  }
}
