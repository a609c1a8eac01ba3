import { type CreateHasher, type ObjectType, rawIdLength } from "@x/objects";
import { PackError } from "../errors.ts";
import { BitSet } from "./bit-set.ts";
import {
  type BitmapLayout,
  type BitmapPlace,
  placeOfEntry,
  readBitmapLayout,
  readBytes,
} from "./bitmap-index-layout.ts";
import type { ByteSource } from "./byte-source.ts";
import { flipEwah } from "./ewah.ts";
import type { PackIndex } from "./pack-index.ts";

/** The file is read in pieces of this size to sum it up. Unit: bytes. */
const PIECE_BYTES = 64 * 1024;

const TYPES: readonly ObjectType[] = ["commit", "tree", "blob", "tag"];

/**
 * What some commits of a pack reach, as bits: bit n is the object that lies n-th in the pack. The bitmaps stay in the
 * file until they are asked for. Pseudo-merges and path sums are passed over. Spec: gitformat-bitmap.
 */
export class BitmapIndex {
  /** Objects in the pack, and bits in each bitmap. */
  readonly count: number;
  readonly #source: ByteSource;
  readonly #index: PackIndex;
  readonly #layout: BitmapLayout;
  readonly #types: Map<ObjectType, BitSet> = new Map();

  /**
   * Reads the whole file once, to compare its checksum.
   * @param index of the pack that the bitmaps have to belong to
   * @throws PackError `pack/bad-index`, `pack/bad-checksum`
   */
  constructor(source: ByteSource, index: PackIndex, createHasher: CreateHasher) {
    this.count = index.count;
    this.#source = source;
    this.#index = index;
    this.#layout = readBitmapLayout(source, index);
    checkTrailer(source, createHasher(index.format), rawIdLength(index.format));
  }

  /** Commits that have a bitmap. */
  get commits(): number {
    return this.#layout.starts.length;
  }

  /** Whether the commit at `position` of the pack's index has a bitmap. */
  has(position: number): boolean {
    return this.#layout.entries.has(position);
  }

  /**
   * Sets `into`, which has to be clear, to what the commit at `position` of the pack's index reaches, with itself.
   * @throws PackError `pack/bad-index`; `into` is then good for nothing
   */
  read(position: number, into: BitSet): void {
    const { starts, bases, entries, entriesEnd } = this.#layout;
    let left = starts.length;
    // A difference to a difference: all are flipped onto one another, in whatever order.
    for (let entry = entries.get(position) ?? -1; entry >= 0; entry = bases[entry] as number) {
      if (left-- === 0) throw bad("has entries that are differences to each other");
      this.#flip(placeOfEntry(this.#source, starts[entry] as number, entriesEnd), into);
    }
    if (!into.has(this.#index.ranks[position] as number)) throw bad("has a bitmap that lacks its own commit");
  }

  /** Which objects are of a type. Not to be written to. @throws PackError `pack/bad-index` */
  type(type: ObjectType): BitSet {
    let bits = this.#types.get(type);
    if (bits === undefined) {
      bits = new BitSet(this.count);
      this.#flip(this.#layout.types[TYPES.indexOf(type)] as BitmapPlace, bits);
      this.#types.set(type, bits);
    }
    return bits;
  }

  #flip({ at, length }: BitmapPlace, into: BitSet): void {
    flipEwah(readBytes(this.#source, at, length), into);
    if (into.next(this.count) >= 0) throw bad("has bits for more objects than there are");
  }
}

function checkTrailer(source: ByteSource, hasher: ReturnType<CreateHasher>, idLength: number): void {
  const end = source.size - idLength;
  for (let at = 0; at < end; at += PIECE_BYTES)
    hasher.update(readBytes(source, at, Math.min(PIECE_BYTES, end - at)));
  const trailer = readBytes(source, end, idLength);
  if (!hasher.digest().every((byte, i) => byte === trailer[i]))
    throw new PackError("pack/bad-checksum", "the bitmap file's checksum is not that of its bytes");
}

function bad(what: string): PackError {
  return new PackError("pack/bad-index", `the bitmap file ${what}`);
}
