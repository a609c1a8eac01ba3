import { decodeDeltaHeader } from "../format/delta.ts";
import { type BoundaryList, BoundaryRing } from "./boundary-ring.ts";

/**
 * Is shown an entry: the tree's bytes, the entry's type bits (0o040000 …), where its name starts, and where its raw id
 * does, one byte behind the name.
 */
export type VisitEntry = (tree: Uint8Array, type: number, nameAt: number, idAt: number) => void;

/** 16 MiB of places. */
const REMEMBERED_ENTRIES = 4 * 1024 * 1024;

/** No entry is shorter than this and an id: a digit, a space, a letter and a NUL. Unit: bytes. */
const MIN_ENTRY_BYTES = 4;

/** How a tree is made of another. */
export interface TreeDelta {
  /** The key under which the other was scanned. */
  readonly baseKey: number;
  /** The delta, its header included. */
  readonly bytes: Uint8Array;
}

/**
 * Shows the entries of one tree after the other, leaving out those that an earlier tree of the same scanner is known to
 * have shown. Most trees lie in a pack as deltas of a tree that differs in an entry or two: what the delta copies from a
 * tree that was scanned needs no second look. In a large directory that saves hundreds of look-ups for each commit.
 */
export class EntryScanner {
  readonly #idLength: number;
  /** Where the entries of scanned trees start, and where they end. */
  readonly #boundaries: BoundaryRing;

  /** @param rememberedEntries entries whose places are remembered, 4 bytes each; larger trees are scanned whole every time */
  constructor(idLength: number, rememberedEntries: number = REMEMBERED_ENTRIES) {
    this.#idLength = idLength;
    this.#boundaries = new BoundaryRing(rememberedEntries);
  }

  /**
   * @param key stands for the tree in deltas of later ones
   * @param place what was shown at another place does not count as shown, unless that was place 0, which counts for all
   * @returns whether `data` is a whole tree
   */
  scan(data: Uint8Array, key: number, delta: TreeDelta | undefined, visit: VisitEntry, place = 0): boolean {
    this.#boundaries.begin();
    const mostEntries = Math.ceil(data.length / (this.#idLength + MIN_ENTRY_BYTES)) + 1;
    const base = delta && this.#boundaries.get(delta.baseKey, mostEntries, place);
    const end = base
      ? this.#scanDelta(data, delta.bytes, base, visit)
      : this.#scanTo(data, 0, data.length, visit);
    if (end !== data.length) return false;
    this.#boundaries.add(end);
    this.#boundaries.end(key, place);
    return true;
  }

  /** Follows the delta's instructions over `data`, the tree it makes of the tree with the boundaries `base`. */
  #scanDelta(data: Uint8Array, delta: Uint8Array, base: BoundaryList, visit: VisitEntry): number {
    let at = decodeDeltaHeader(delta).opsAt;
    let entry = 0; // the next entry to look at
    let result = 0; // where the instruction's bytes go
    while (at < delta.length) {
      const op = delta[at++] as number;
      let size = op;
      if (op & 0x80) {
        let offset = 0;
        size = 0;
        for (let bit = 0, scale = 1; bit < 4; bit++, scale *= 256)
          if (op & (1 << bit)) offset += (delta[at++] as number) * scale;
        for (let bit = 4, scale = 1; bit < 7; bit++, scale *= 256)
          if (op & (1 << bit)) size += (delta[at++] as number) * scale;
        if (size === 0) size = 0x10000;
        entry = this.#skipCopied(data, entry, result, offset, size, base, visit);
      } else at += op;
      result += size;
      entry = this.#scanTo(data, entry, result, visit);
      if (entry < 0) break;
    }
    return entry;
  }

  /** Jumps over the entries that lie wholly in a copied stretch, once an entry of it starts where one of the base does. */
  #skipCopied(
    data: Uint8Array,
    entry: number,
    result: number,
    offset: number,
    size: number,
    base: BoundaryList,
    visit: VisitEntry,
  ): number {
    const end = result + size;
    while (entry >= 0 && entry < end) {
      const shift = result - offset;
      const first = base.lowerBound(entry - shift);
      if (first < base.length && base.at(first) === entry - shift) {
        const last = base.lowerBound(offset + size + 1) - 1;
        this.#boundaries.addShifted(base, first, last, shift);
        return base.at(last) + shift;
      }
      entry = this.#scanTo(data, entry, entry + 1, visit);
    }
    return entry;
  }

  /** Shows entries from `entry` on until one starts at `limit` or later; gives where, or -1 if one is malformed. */
  #scanTo(data: Uint8Array, entry: number, limit: number, visit: VisitEntry): number {
    while (entry >= 0 && entry < limit) {
      let at = entry;
      let mode = 0;
      for (let byte = data[at++]; byte !== 0x20; byte = data[at++]) {
        if (byte === undefined || byte < 0x30 || byte > 0x37 || at - entry > 7) return -1;
        mode = mode * 8 + byte - 0x30;
      }
      const nameAt = at;
      if (at === entry + 1 || data[at] === 0) return -1; // no mode, no name
      while (data[at]) at++; // past the end reads as undefined, which stops it too
      const next = at + 1 + this.#idLength;
      if (next > data.length) return -1;
      this.#boundaries.add(entry);
      visit(data, mode & 0o170000, nameAt, at + 1);
      entry = next;
    }
    return entry;
  }
}
