import { type Crc32, createHasher, type Hasher, type ObjectFormat, rawIdLength } from "@x/objects";
import { PackError } from "../errors.ts";
import {
  decodeEntryHeader,
  ENTRY_BLOB,
  ENTRY_OFS_DELTA,
  ENTRY_REF_DELTA,
  ENTRY_TAG,
  type EntryHeader,
  MAX_ENTRY_HEADER_BYTES,
} from "../format/entry-header.ts";
import type { ZlibCodec } from "../format/zlib-codec.ts";
import { EntryReader } from "./entry-reader.ts";
import { EntryTable } from "./entry-table.ts";
import type { HashTools } from "./object-hasher.ts";
import type { InspectObject } from "./object-inspector.ts";
import type { ReceiveBudget } from "./receive-budget.ts";

const HEADER_BYTES = 12;
/** C git applies no delta that is shorter. */
const MIN_DELTA_BYTES = 4;

/** What a {@link PackParser} works with. */
export interface PackParserOptions {
  readonly format: ObjectFormat;
  readonly codec: ZlibCodec;
  readonly crc32: Crc32;
  readonly hash: HashTools;
  readonly budget: ReceiveBudget;
  /** Gets the pack's bytes in order, without the trailer; views that hold during the call. */
  readonly append: (bytes: Uint8Array) => void;
  /** Is shown whole commits, trees and tags, but for those in {@link PackParser.largeRows}. */
  readonly inspect?: InspectObject | undefined;
}

/**
 * Reads a pack from chunks that are cut anywhere: finds the entries, has an {@link EntryReader} read them, and
 * checks the trailer.
 */
export class PackParser {
  readonly entries: EntryTable;
  /** What the pack says of itself; 0 before its header. */
  declaredCount = 0;
  deltaCount = 0;
  /** Unit: bytes, the trailer included. */
  receivedBytes = 0;
  /** Bytes of the last chunk after the pack's end. */
  trailingBytes = 0;
  /** Where the trailer starts. Unit: bytes. */
  entriesEnd = -1;
  /** The trailer, once it has been checked. */
  checksum: Uint8Array | undefined;

  readonly #options: PackParserOptions;
  readonly #idLength: number;
  readonly #reader: EntryReader;
  readonly #packHasher: Hasher;
  /** A header or trailer whose first bytes came with an earlier chunk. */
  readonly #carry: Uint8Array = new Uint8Array(64);
  #carried = 0;
  #step: (chunk: Uint8Array, at: number) => number = this.#readHeader;
  /** The entry in progress, if there is one; its row is made once its header is whole. */
  #inEntry = false;
  #offset = 0;
  #row = -1;
  #crc = 0;
  /** Where in this chunk the entry in progress starts. */
  #crcFrom = 0;

  constructor(options: PackParserOptions) {
    this.#options = options;
    this.#idLength = rawIdLength(options.format);
    this.entries = new EntryTable(this.#idLength);
    this.#reader = new EntryReader(this.entries, options);
    this.#packHasher = (options.hash.createHasher ?? createHasher)(options.format);
  }

  /** Commits, trees and tags that were too large to be shown. */
  get largeRows(): readonly number[] {
    return this.#reader.largeRows;
  }

  /**
   * Takes the next bytes. @returns whether the pack's end has been reached and its trailer is right
   * @throws PackError; the parser is of no use afterwards
   */
  feed(chunk: Uint8Array): boolean {
    if (this.checksum !== undefined) {
      this.trailingBytes = chunk.length;
      return true;
    }
    const { budget } = this.#options;
    const allowed = budget.maxPackBytes - this.receivedBytes;
    const bytes = chunk.length > allowed ? chunk.subarray(0, allowed) : chunk;
    let at = 0;
    this.#crcFrom = 0;
    while (at < bytes.length && this.checksum === undefined) at = this.#step(bytes, at);
    if (this.checksum === undefined && bytes !== chunk) throw budget.packTooLong();
    const ours = this.entriesEnd < 0 ? at : Math.max(0, Math.min(at, this.entriesEnd - this.receivedBytes));
    if (ours > 0) {
      const part = bytes.subarray(0, ours);
      if (this.entriesEnd < 0) this.#packHasher.update(part);
      if (this.#inEntry) this.#crc = this.#options.crc32(bytes.subarray(this.#crcFrom, ours), this.#crc);
      this.#options.append(part);
    }
    this.receivedBytes += at;
    this.trailingBytes = chunk.length - at;
    return this.checksum !== undefined;
  }

  /** Collects `size` bytes over chunks. @returns where the chunk goes on; `#carried` says how far it got */
  #collect(chunk: Uint8Array, at: number, size: number): number {
    const end = Math.min(chunk.length, at + size - this.#carried);
    this.#carry.set(chunk.subarray(at, end), this.#carried);
    this.#carried += end - at;
    return end;
  }

  #readHeader(chunk: Uint8Array, at: number): number {
    const end = this.#collect(chunk, at, HEADER_BYTES);
    if (this.#carried < HEADER_BYTES) return end;
    this.#carried = 0;
    const view = new DataView(this.#carry.buffer);
    if (view.getUint32(0) !== 0x5041434b)
      throw new PackError("pack/malformed", "protocol error (pack signature mismatch detected)", {
        offset: 0,
      });
    const version = view.getUint32(4);
    if (version !== 2 && version !== 3)
      throw new PackError("pack/malformed", "protocol error (pack version unsupported)", { offset: 4 });
    this.declaredCount = view.getUint32(8);
    this.#options.budget.takeObjects(this.declaredCount);
    this.#nextEntry(chunk, end);
    return end;
  }

  /** Goes on with the next entry, or with the trailer when there is none. */
  #nextEntry(chunk: Uint8Array, at: number): void {
    if (this.entries.count < this.declaredCount) {
      this.#step = this.#readEntryHeader;
      return;
    }
    this.entriesEnd = this.receivedBytes + at;
    this.#packHasher.update(chunk.subarray(0, at));
    this.#step = this.#readTrailer;
  }

  #readEntryHeader(chunk: Uint8Array, at: number): number {
    if (!this.#inEntry) {
      this.#inEntry = true;
      this.#offset = this.receivedBytes + at;
      this.#crc = 0;
      this.#crcFrom = at;
    }
    try {
      if (this.#carried === 0) {
        const header = decodeEntryHeader(chunk, at, this.#idLength);
        if (header === undefined) return this.#collect(chunk, at, MAX_ENTRY_HEADER_BYTES);
        this.#startEntry(header, header.dataAt - at, chunk);
        return header.dataAt;
      }
      const before = this.#carried;
      this.#collect(chunk, at, MAX_ENTRY_HEADER_BYTES);
      const header = decodeEntryHeader(this.#carry.subarray(0, this.#carried), 0, this.#idLength);
      if (header === undefined) return at + this.#carried - before;
      this.#carried = 0;
      this.#startEntry(header, header.dataAt, this.#carry);
      return at + header.dataAt - before;
    } catch (error) {
      throw badObject(this.#offset, error);
    }
  }

  #startEntry(
    { type, size, baseDistance, dataAt }: EntryHeader,
    headerBytes: number,
    bytes: Uint8Array,
  ): void {
    const { budget } = this.#options;
    const { entries } = this;
    budget.takeObject(size);
    if (type < ENTRY_BLOB || type === ENTRY_TAG) budget.takeParsed(size);
    const row = entries.push(this.#offset, type, size, headerBytes);
    this.#row = row;
    if (type === ENTRY_OFS_DELTA || type === ENTRY_REF_DELTA) {
      if (size < MIN_DELTA_BYTES) throw new PackError("pack/bad-delta", "failed to apply delta");
      this.deltaCount++;
      if (type === ENTRY_OFS_DELTA) {
        const base = this.#offset - baseDistance;
        if (baseDistance === 0 || base <= 0)
          throw new PackError("pack/malformed", "delta base offset is out of bound");
        entries.bases[row] = entries.rowAt(base);
      } else entries.ids.set(bytes.subarray(dataAt - this.#idLength, dataAt), row * this.#idLength);
    }
    this.#reader.start(row, type, size);
    this.#step = this.#readData;
  }

  #readData(chunk: Uint8Array, at: number): number {
    const reader = this.#reader;
    try {
      const next = reader.read(chunk, at);
      if (reader.hasEnded) this.#endEntry(chunk, next);
      return next;
    } catch (error) {
      throw badObject(this.#offset, error);
    }
  }

  #endEntry(chunk: Uint8Array, at: number): void {
    this.entries.crcs[this.#row] = this.#options.crc32(chunk.subarray(this.#crcFrom, at), this.#crc);
    this.#inEntry = false;
    this.#nextEntry(chunk, at);
  }

  #readTrailer(chunk: Uint8Array, at: number): number {
    const end = this.#collect(chunk, at, this.#idLength);
    if (this.#carried < this.#idLength) return end;
    const checksum = this.#packHasher.digest();
    if (!checksum.every((byte, i) => byte === this.#carry[i]))
      throw new PackError("pack/bad-checksum", "pack is corrupted (SHA1 mismatch)", {
        offset: this.entriesEnd,
      });
    this.checksum = checksum;
    this.#reader.close();
    return end;
  }
}

/** `error` in C git's words for trouble with one entry, when it is that. */
function badObject(offset: number, error: unknown): unknown {
  if (!(error instanceof PackError) || error.code === "pack/limit-exceeded") return error;
  const what = error.message.startsWith("inflate: ")
    ? `inflate returned -3 (${error.message.slice(9)})`
    : error.message;
  return new PackError(error.code, `pack has bad object at offset ${offset}: ${what}`, {
    offset,
    cause: error,
  });
}
