import { ENTRY_OFS_DELTA } from "../format/entry-header.ts";
import type { PackReader } from "./pack-reader.ts";

/** In the place of a base's rank: the entry is a whole object. */
export const WHOLE = -1;
/** In the place of a base's rank: the entry names its base by id, or by an offset at which no entry starts. */
export const NOT_BY_RANK = -2;
const UNKNOWN = -3;

/**
 * Which entry each entry of a pack is a delta of. What was looked up is kept, 4 bytes for each object: whoever sends the
 * same entries again need not read their headers.
 */
export class EntryBases {
  readonly #pack: PackReader;
  #bases: Int32Array = new Int32Array(0);

  constructor(pack: PackReader) {
    this.#pack = pack;
  }

  /**
   * The rank, in the order of the pack, of the base of the entry that has `rank`; {@link WHOLE} or {@link NOT_BY_RANK}.
   * @throws PackError as {@link PackReader.entry}
   */
  of(rank: number): number {
    const { index } = this.#pack;
    if (this.#bases.length === 0) this.#bases = new Int32Array(index.count).fill(UNKNOWN);
    const known = this.#bases[rank] as number;
    if (known !== UNKNOWN) return known;
    const { type, baseOffset } = this.#pack.entry(index.offset(index.order[rank] as number));
    const base = type === ENTRY_OFS_DELTA ? index.rankOfOffset(baseOffset) : NOT_BY_RANK;
    this.#bases[rank] = baseOffset < 0 ? WHOLE : base < 0 ? NOT_BY_RANK : base;
    return this.#bases[rank] as number;
  }
}
