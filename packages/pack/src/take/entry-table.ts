import { ENTRY_OFS_DELTA } from "../format/entry-header.ts";

/** No base is known (yet). */
export const NO_BASE = -1;

/**
 * What is known of each entry of a pack that is being taken in: about 60 bytes for each, in columns. Rows are in the
 * order of the pack. Grows with the entries met, whatever count the pack declares.
 */
export class EntryTable {
  readonly idLength: number;
  count = 0;
  /** Where the entry starts. Unit: bytes. */
  offsets: Float64Array = new Float64Array(0);
  /** Inflated size of the entry's stream: the object's, or the delta's. Unit: bytes. */
  sizes: Float64Array = new Float64Array(0);
  /** Length of the entry's header. Unit: bytes. */
  headerBytes: Uint8Array = new Uint8Array(0);
  /** The entry's type, deltas included. */
  types: Uint8Array = new Uint8Array(0);
  /** The object's type, 1–4; 0 until it is known. */
  kinds: Uint8Array = new Uint8Array(0);
  /** CRC-32 of the entry. */
  crcs: Uint32Array = new Uint32Array(0);
  /** Row of a delta's base. */
  bases: Int32Array = new Int32Array(0);
  /** Raw ids in a row; until a REF_DELTA is resolved, that of its base. */
  ids: Uint8Array = new Uint8Array(0);

  constructor(idLength: number) {
    this.idLength = idLength;
  }

  /** Adds a row, its id, crc and base still unset. */
  push(offset: number, type: number, size: number, headerBytes: number): number {
    const row = this.count++;
    if (row === this.offsets.length) this.#grow();
    this.offsets[row] = offset;
    this.sizes[row] = size;
    this.headerBytes[row] = headerBytes;
    this.types[row] = type;
    this.kinds[row] = type < ENTRY_OFS_DELTA ? type : 0;
    this.bases[row] = NO_BASE;
    return row;
  }

  #grow(): void {
    const capacity = Math.max(256, Math.ceil(this.offsets.length * 1.5));
    this.offsets = copy(this.offsets, new Float64Array(capacity));
    this.sizes = copy(this.sizes, new Float64Array(capacity));
    this.headerBytes = copy(this.headerBytes, new Uint8Array(capacity));
    this.types = copy(this.types, new Uint8Array(capacity));
    this.kinds = copy(this.kinds, new Uint8Array(capacity));
    this.crcs = copy(this.crcs, new Uint32Array(capacity));
    this.bases = copy(this.bases, new Int32Array(capacity));
    this.ids = copy(this.ids, new Uint8Array(capacity * this.idLength));
  }

  isDelta(row: number): boolean {
    return (this.types[row] as number) >= ENTRY_OFS_DELTA;
  }

  /** The raw id in `row`, a view. */
  id(row: number): Uint8Array {
    return this.ids.subarray(row * this.idLength, (row + 1) * this.idLength);
  }

  /** The row whose entry starts at `offset`; -1 when none does. */
  rowAt(offset: number): number {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const there = this.offsets[middle] as number;
      if (there === offset) return middle;
      if (there < offset) low = middle + 1;
      else high = middle;
    }
    return NO_BASE;
  }

  /** Moves `from`'s row over `to`'s. */
  move(from: number, to: number): void {
    if (from === to) return;
    for (const column of [
      this.offsets,
      this.sizes,
      this.headerBytes,
      this.types,
      this.kinds,
      this.crcs,
      this.bases,
    ])
      column[to] = column[from] as number;
    this.ids.copyWithin(to * this.idLength, from * this.idLength, (from + 1) * this.idLength);
  }
}

function copy<T extends Float64Array | Int32Array | Uint32Array | Uint8Array>(from: T, to: T): T {
  to.set(from);
  return to;
}
