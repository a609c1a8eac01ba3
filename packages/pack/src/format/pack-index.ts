import { type ObjectFormat, type ObjectId, objectIdFromBytes, rawIdLength } from "@x/objects";
import { PackError } from "../errors.ts";
import { sortPositions, sortPositionsInSteps } from "./sort-positions.ts";

/*
 * Version 2:                                     Version 1:
 *   \377tOc, u32 2                                 256 × u32 fanout
 *   256 × u32 fanout                               n × (u32 offset, id)
 *   n × id, sorted                                 pack checksum, index checksum
 *   n × u32 crc32
 *   n × u32 offset (MSB: index into the next)
 *   m × u64 offset
 *   pack checksum, index checksum
 *
 * Spec: gitformat-pack, "pack-*.idx files have the following format".
 */

const FANOUT_BYTES = 256 * 4;

/** An index held in memory: which objects a pack has, and where. Objects are numbered by their ids' order, from 0. */
export class PackIndex {
  readonly format: ObjectFormat;
  readonly version: 1 | 2;
  /** Objects in the pack. */
  readonly count: number;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #idLength: number;
  /** Where the first id stands, and how far the next one is. */
  readonly #idsAt: number;
  readonly #idStride: number;
  readonly #offsetsAt: number;
  readonly #offsetStride: number;
  readonly #largeAt: number;
  /** Entry k: how many ids have a prefix below k. Finer than the file's own fanout: a look-up meets one or two ids. */
  readonly #prefixes: Uint32Array;
  readonly #prefixShift: number;
  #order: Uint32Array | undefined;
  #ranks: Uint32Array | undefined;

  /**
   * Takes over `bytes`, a whole index file.
   * @throws PackError `pack/bad-index` when sizes or the fanout contradict each other
   */
  constructor(bytes: Uint8Array, format: ObjectFormat) {
    this.format = format;
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const idLength = rawIdLength(format);
    this.#idLength = idLength;
    if (bytes.length < 8 + FANOUT_BYTES + 2 * idLength) throw badIndex("index file is too short");
    this.version = this.#view.getUint32(0) === 0xff744f63 ? 2 : 1;
    if (this.version === 2 && this.#view.getUint32(4) !== 2)
      throw badIndex("index file has an unknown version");
    const fanoutAt = this.version === 2 ? 8 : 0;
    this.count = this.#view.getUint32(fanoutAt + 255 * 4);
    const tablesAt = fanoutAt + FANOUT_BYTES;
    const tablesEnd = bytes.length - 2 * idLength;
    const perObject = this.version === 2 ? idLength + 8 : idLength + 4;
    const spare = tablesEnd - tablesAt - this.count * perObject;
    if (spare < 0 || spare % 8 !== 0 || (this.version === 1 && spare !== 0))
      throw badIndex("index file has a wrong size");
    this.#idsAt = this.version === 2 ? tablesAt : tablesAt + 4;
    this.#idStride = this.version === 2 ? idLength : idLength + 4;
    this.#offsetsAt = this.version === 2 ? tablesAt + this.count * (idLength + 4) : tablesAt;
    this.#offsetStride = this.version === 2 ? 4 : idLength + 4;
    this.#largeAt = tablesEnd - spare;
    const bits = Math.min(22, Math.max(8, Math.ceil(Math.log2(this.count + 1))));
    this.#prefixShift = 24 - bits;
    this.#prefixes = this.#countPrefixes(bits);
    for (let byte = 0; byte < 256; byte++)
      if (this.#view.getUint32(fanoutAt + byte * 4) !== this.#prefixes[(byte + 1) << (bits - 8)])
        throw badIndex("index file has a wrong fanout table");
  }

  #countPrefixes(bits: number): Uint32Array {
    const prefixes = new Uint32Array((1 << bits) + 1);
    let previous = 0;
    for (let position = 0; position < this.count; position++) {
      const prefix = this.#prefix(this.#bytes, this.#idsAt + position * this.#idStride);
      if (prefix < previous) throw badIndex("index file is not sorted");
      while (previous < prefix) prefixes[++previous] = position;
    }
    prefixes.fill(this.count, previous + 1);
    return prefixes;
  }

  #prefix(bytes: Uint8Array, at: number): number {
    return (
      (((bytes[at] as number) << 16) | ((bytes[at + 1] as number) << 8) | (bytes[at + 2] as number)) >>
      this.#prefixShift
    );
  }

  /** The position of the object whose raw id stands in `bytes` at `at`; -1 when the pack has it not. */
  find(bytes: Uint8Array, at: number): number {
    const prefix = this.#prefix(bytes, at);
    let low = this.#prefixes[prefix] as number;
    let high = this.#prefixes[prefix + 1] as number;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const order = this.#compare(middle, bytes, at);
      if (order === 0) return middle;
      if (order < 0) low = middle + 1;
      else high = middle;
    }
    return -1;
  }

  /** How many leading hex digits of the raw id in `bytes` another id here has as well, at most. */
  sharedDigits(bytes: Uint8Array): number {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#compare(middle, bytes, 0) < 0) low = middle + 1;
      else high = middle;
    }
    let most = 0;
    for (const position of [low - 1, low, low + 1]) {
      if (position < 0 || position >= this.count || this.#compare(position, bytes, 0) === 0) continue;
      const other = this.rawId(position);
      let at = 0;
      while (other[at] === bytes[at]) at++;
      most = Math.max(most, 2 * at + ((other[at] as number) >> 4 === (bytes[at] as number) >> 4 ? 1 : 0));
    }
    return most;
  }

  #compare(position: number, bytes: Uint8Array, at: number): number {
    const mine = this.#bytes;
    const start = this.#idsAt + position * this.#idStride;
    // The first two bytes are all but settled by the prefix.
    for (let i = 0; i < this.#idLength; i++) {
      const difference = (mine[start + i] as number) - (bytes[at + i] as number);
      if (difference !== 0) return difference;
    }
    return 0;
  }

  /** The raw id at `position`, a view. */
  rawId(position: number): Uint8Array {
    const start = this.#idsAt + position * this.#idStride;
    return this.#bytes.subarray(start, start + this.#idLength);
  }

  /** The id at `position`. */
  id(position: number): ObjectId {
    return objectIdFromBytes(this.#bytes, this.format, this.#idsAt + position * this.#idStride);
  }

  /** Where the object's entry starts in the pack. Unit: bytes. @throws PackError `pack/bad-index` */
  offset(position: number): number {
    const small = this.#view.getUint32(this.#offsetsAt + position * this.#offsetStride);
    if (this.version === 1 || small < 0x80000000) return small;
    const at = this.#largeAt + (small - 0x80000000) * 8;
    if (at + 8 > this.#bytes.length - 2 * this.#idLength)
      throw badIndex("index file has a large offset out of bounds");
    const offset = this.#view.getUint32(at) * 0x100000000 + this.#view.getUint32(at + 4);
    if (!Number.isSafeInteger(offset)) throw badIndex("index file has an offset beyond 2^53 - 1");
    return offset;
  }

  /** CRC-32 of the entry as it lies in the pack; `undefined` in version 1. */
  crc32(position: number): number | undefined {
    if (this.version === 1) return undefined;
    return this.#view.getUint32(this.#idsAt + this.count * this.#idLength + position * 4);
  }

  /** The checksum of the pack this index was made for, a view. */
  get packChecksum(): Uint8Array {
    const end = this.#bytes.length - this.#idLength;
    return this.#bytes.subarray(end - this.#idLength, end);
  }

  /** Positions in the order in which their entries lie in the pack. Made at the first use: 4 bytes for each object. */
  get order(): Uint32Array {
    this.#order ??= sortPositions(this.count, (position) => this.offset(position));
    return this.#order;
  }

  /** Makes {@link order} beforehand, yielding every few milliseconds. */
  *prepareOrder(): Generator<undefined, void> {
    this.#order ??= yield* sortPositionsInSteps(this.count, (position) => this.offset(position));
  }

  /** Position → where in {@link order} it stands. Made at the first use: 4 bytes for each object. */
  get ranks(): Uint32Array {
    if (this.#ranks === undefined) {
      const { order } = this;
      const ranks = new Uint32Array(order.length);
      for (let rank = 0; rank < order.length; rank++) ranks[order[rank] as number] = rank;
      this.#ranks = ranks;
    }
    return this.#ranks;
  }

  /** Where in {@link order} the entry that starts at `offset` stands; -1 when none starts there. */
  rankOfOffset(offset: number): number {
    const order = this.order;
    let low = 0;
    let high = order.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const there = this.offset(order[middle] as number);
      if (there === offset) return middle;
      if (there < offset) low = middle + 1;
      else high = middle;
    }
    return -1;
  }
}

function badIndex(message: string): PackError {
  return new PackError("pack/bad-index", message);
}
