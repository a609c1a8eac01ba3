import { type ObjectType, rawIdLength } from "@x/objects";
import { PackError } from "../errors.ts";
import type { ByteSource } from "../format/byte-source.ts";
import { applyDelta, decodeDeltaHeader } from "../format/delta.ts";
import {
  decodeEntryHeader,
  ENTRY_OFS_DELTA,
  ENTRY_REF_DELTA,
  type EntryHeader,
  entryObjectType,
  MAX_ENTRY_HEADER_BYTES,
} from "../format/entry-header.ts";
import type { PackIndex } from "../format/pack-index.ts";
import { type Inflater, wrongSize, type ZlibCodec } from "../format/zlib-codec.ts";
import type { DeltaBaseCache, PackedObject } from "./delta-base-cache.ts";
import { EntryBases } from "./entry-bases.ts";
import { type BitmapFile, PackBitmaps } from "./pack-bitmaps.ts";
import { WindowCache } from "./window-cache.ts";

/** Bytes before the first entry: `PACK`, version, count. */
export const PACK_HEADER_BYTES = 12;

/** More deltas on top of each other than this are taken for a cycle; C git makes at most 4,095. */
export const MAX_DELTA_DEPTH = 10_000;

/** Large objects are inflated in pieces of this. Unit: bytes. */
const STREAM_BYTES = 64 * 1024;

/** What a {@link PackReader} needs beside its bytes. */
export interface PackReaderOptions {
  readonly codec: ZlibCodec;
  readonly cache: DeltaBaseCache;
  /** An object that is larger is not put together. Unit: bytes. */
  readonly maxObjectBytes: number;
  /** Pack windows kept in memory, of 64 KiB each; 128 when not given. */
  readonly maxWindows?: number;
  readonly bitmapFile?: BitmapFile | undefined;
}

/** An entry's header together with where it stands. */
export interface PackEntry extends EntryHeader {
  /** Where the entry starts. Unit: bytes. */
  readonly offset: number;
  /** A delta's base; -1 for whole objects. Unit: bytes. */
  readonly baseOffset: number;
}

/** Reads objects out of one pack with its index. Spec: gitformat-pack. */
export class PackReader {
  readonly index: PackIndex;
  readonly source: ByteSource;
  readonly bitmaps: PackBitmaps | undefined;
  readonly bases: EntryBases = new EntryBases(this);
  readonly #options: PackReaderOptions;
  readonly #windows: WindowCache;
  readonly #keys: number;
  readonly #idLength: number;
  readonly #reserve: (size: number) => Uint8Array;
  #peek: Inflater | undefined;

  /** @throws PackError `pack/malformed`, `pack/bad-index` when header, trailer and index do not belong together */
  constructor(source: ByteSource, index: PackIndex, options: PackReaderOptions) {
    this.index = index;
    this.source = source;
    this.bitmaps = options.bitmapFile && new PackBitmaps(options.bitmapFile, index);
    this.#options = options;
    this.#windows = new WindowCache(source, options.maxWindows ?? 128);
    this.#reserve = (size) => options.cache.reserve(size);
    this.#keys = options.cache.register(source.size);
    this.#idLength = rawIdLength(index.format);
    this.#checkFrame();
  }

  #checkFrame(): void {
    if (this.entriesEnd < PACK_HEADER_BYTES)
      throw new PackError("pack/malformed", "pack is shorter than its header and trailer");
    const header = new Uint8Array(PACK_HEADER_BYTES);
    const view = new DataView(header.buffer);
    if (this.source.read(0, header) < PACK_HEADER_BYTES || view.getUint32(0) !== 0x5041434b)
      throw new PackError("pack/malformed", "pack signature mismatch");
    const version = view.getUint32(4);
    if (version !== 2 && version !== 3)
      throw new PackError("pack/malformed", `pack version ${version} unsupported`);
    if (view.getUint32(8) !== this.index.count)
      throw new PackError("pack/bad-index", "index and pack differ in count");
    const trailer = new Uint8Array(this.#idLength);
    this.source.read(this.entriesEnd, trailer);
    if (!this.index.packChecksum.every((byte, i) => byte === trailer[i]))
      throw new PackError("pack/bad-index", "index belongs to another pack");
  }

  /** Where the trailer starts. Unit: bytes. */
  get entriesEnd(): number {
    return this.source.size - this.#idLength;
  }

  /** The header of the entry that starts at `offset`, its base looked up. @throws PackError */
  entry(offset: number): PackEntry {
    return this.#locate(this.#windows.view(offset, MAX_ENTRY_HEADER_BYTES), offset);
  }

  #locate(bytes: Uint8Array, offset: number): PackEntry {
    // Beyond the entries lie the trailer and, by their keys in the cache, the entries of other packs.
    if (offset < PACK_HEADER_BYTES || offset >= this.entriesEnd)
      throw new PackError("pack/bad-index", "no entry can start there", { offset });
    const header = decodeEntryHeader(bytes, 0, this.#idLength);
    if (header === undefined) throw new PackError("pack/truncated", "an entry stops short", { offset });
    const { type, size, baseDistance, dataAt } = header;
    if (offset + dataAt >= this.entriesEnd)
      throw new PackError("pack/truncated", "an entry stops short", { offset });
    return { type, size, baseDistance, dataAt, offset, baseOffset: this.baseOffset(header, bytes, offset) };
  }

  /**
   * Where the base of a delta starts whose `header` was read from `bytes`; -1 for whole objects.
   * @throws PackError `pack/malformed`, `pack/missing-base`
   */
  baseOffset(header: EntryHeader, bytes: Uint8Array, offset: number): number {
    if (header.type === ENTRY_OFS_DELTA) {
      const base = offset - header.baseDistance;
      if (base >= offset || base < PACK_HEADER_BYTES)
        throw new PackError("pack/malformed", "delta base offset is out of bound", { offset });
      return base;
    }
    if (header.type !== ENTRY_REF_DELTA) return -1;
    const position = this.index.find(bytes, header.dataAt - this.#idLength);
    if (position < 0)
      throw new PackError("pack/missing-base", "a delta's base is not in its pack", { offset });
    return this.index.offset(position);
  }

  /** The object whose entry starts at `offset`; a tree tells its delta, if it lies as one. Its bytes
   * hold until the next object is read through the same cache.
   * @param maxBytes neither it nor anything it is made of may be larger. Unit: bytes.
   * @throws PackError `pack/limit-exceeded` and others */
  read(offset: number, maxBytes: number = this.#options.maxObjectBytes): PackedObject {
    const { cache } = this.#options;
    const deltas: PackEntry[] = [];
    let object: PackedObject | undefined;
    for (let at = offset; object === undefined; ) {
      // An index may point anywhere, and other packs' objects are cached beyond this one's keys.
      if (at < this.source.size) object = cache.get(this.#keys + at);
      if (object !== undefined) break;
      const entry = this.entry(at);
      const type = entryObjectType(entry.type);
      if (type !== undefined) {
        object = { type, data: this.#inflate(entry, maxBytes) };
        // A base will be asked for again, and so will a tree: the next older one is a delta of it.
        if (deltas.length > 0 || type === "tree") cache.set(this.#keys + at, object);
      } else {
        if (deltas.push(entry) > MAX_DELTA_DEPTH)
          throw new PackError("pack/malformed", "delta chain has no end", { offset });
        at = entry.baseOffset;
      }
    }
    for (let entry = deltas.pop(); entry !== undefined; entry = deltas.pop()) {
      const type: ObjectType = object.type;
      const isTree: boolean = type === "tree";
      const bytes: Uint8Array = this.#inflate(entry, maxBytes);
      const data: Uint8Array = applyDelta(object.data, bytes, maxBytes, this.#reserve);
      object = { type, data, delta: isTree ? { baseKey: this.#keys + entry.baseOffset, bytes } : undefined };
      if (deltas.length > 0 || isTree) cache.set(this.#keys + entry.offset, object);
    }
    return object;
  }

  /** The data of the object whose entry starts at `offset`, in pieces that hold until the next is asked for: a whole
   * object of any size is never put together, one that lies as a delta is. @throws PackError */
  *stream(offset: number): Generator<Uint8Array, void> {
    const entry = this.entry(offset);
    if (entryObjectType(entry.type) === undefined) {
      yield this.read(offset).data;
      return;
    }
    yield* this.pieces(entry);
  }

  /** What an entry itself has, be it an object or a delta, as {@link stream}. @throws PackError */
  *pieces(entry: PackEntry): Generator<Uint8Array, void> {
    const { offset } = entry;
    const inflater = this.#options.codec.createInflater();
    const output = new Uint8Array(STREAM_BYTES);
    let left = entry.size;
    let ended = false;
    for (let at = offset + entry.dataAt; !ended && at < this.entriesEnd; ) {
      const view = this.#windows.view(at, Math.min(STREAM_BYTES, this.entriesEnd - at));
      // Others may look through the same windows before the next piece is asked for.
      const bytes = view.slice(0, Math.min(STREAM_BYTES, view.length, this.entriesEnd - at));
      for (let next = 0; next < bytes.length && !ended; ) {
        ended = inflater.write(bytes, next, bytes.length, output, 0);
        next += inflater.consumed;
        left -= inflater.produced;
        if (left < 0) throw wrongSize();
        if (inflater.produced > 0) yield output.subarray(0, inflater.produced);
        else if (inflater.consumed === 0) break;
      }
      at += bytes.length;
    }
    if (left !== 0) throw wrongSize();
  }

  /** A number that stands for the entry at `offset` among the entries of all packs that share the cache. */
  keyOf(offset: number): number {
    return this.#keys + offset;
  }

  /** Inflated size of the object whose entry starts at `offset`: quicker than {@link header}. @throws PackError */
  size(offset: number): number {
    const entry = this.entry(offset);
    return entryObjectType(entry.type) === undefined ? this.#deltaResultSize(entry) : entry.size;
  }

  /** Type and inflated size of the object whose entry starts at `offset`, without putting it together. @throws PackError */
  header(offset: number): { readonly type: ObjectType; readonly size: number } {
    let entry = this.entry(offset);
    const size = entryObjectType(entry.type) === undefined ? this.#deltaResultSize(entry) : entry.size;
    for (let depth = 0; depth <= MAX_DELTA_DEPTH; depth++) {
      const type = entryObjectType(entry.type);
      if (type !== undefined) return { type, size };
      entry = this.entry(entry.baseOffset);
    }
    throw new PackError("pack/malformed", "delta chain has no end", { offset });
  }

  #deltaResultSize(entry: PackEntry): number {
    // The two sizes take 20 bytes at most, but the codec inflates whole streams; an inflater stops where told. It may
    // take hundreds of bytes before the first one comes out: a stream can open with the tables of its code.
    const output = new Uint8Array(Math.min(20, entry.size));
    this.#peek ??= this.#options.codec.createInflater();
    this.#peek.reset();
    let filled = 0;
    for (let at = entry.offset + entry.dataAt; filled < output.length && at < this.entriesEnd; ) {
      const bytes = this.#windows.view(at, 64);
      const ended = this.#peek.write(bytes, 0, Math.min(bytes.length, this.entriesEnd - at), output, filled);
      filled += this.#peek.produced;
      at += this.#peek.consumed;
      if (ended || (this.#peek.produced === 0 && this.#peek.consumed === 0)) break;
    }
    return decodeDeltaHeader(output.subarray(0, filled)).resultSize;
  }

  #inflate(entry: PackEntry, maxBytes: number): Uint8Array {
    if (entry.size > maxBytes)
      throw new PackError(
        "pack/limit-exceeded",
        `object of ${entry.size} bytes exceeds the limit of ${maxBytes}`,
        { offset: entry.offset },
      );
    const start = entry.offset + entry.dataAt;
    const available = this.entriesEnd - start;
    // Deflate adds at most a few bytes to what it cannot shrink, unless the encoder was odd: then ask for more.
    let span = Math.min(available, entry.size + Math.floor(entry.size / 1024) + 64);
    const output = this.#options.cache.reserve(entry.size + 1);
    for (;;) {
      const bytes = this.#windows.view(start, span);
      try {
        this.#options.codec.inflate(bytes, 0, Math.min(bytes.length, available), output);
        return output.subarray(0, entry.size);
      } catch (error) {
        if (!(error instanceof PackError) || error.code !== "pack/truncated" || span >= available)
          throw error;
        span = Math.min(available, span * 4);
      }
    }
  }
}
