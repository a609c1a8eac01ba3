import { type CreateHasher, createHasher, type Hasher, type ObjectType, objectPreamble } from "@x/objects";
import { PackError } from "../errors.ts";
import { decodeDeltaHeader } from "../format/delta.ts";
import { ENTRY_BLOB, ENTRY_OFS_DELTA, entryObjectType } from "../format/entry-header.ts";
import type { Inflater } from "../format/zlib-codec.ts";
import type { EntryTable } from "./entry-table.ts";
import { ObjectHasher, PREAMBLE_ROOM } from "./object-hasher.ts";
import type { PackParserOptions } from "./pack-parser.ts";

/** Objects up to about this size are hashed in one call, larger ones piece by piece. */
const SCRATCH_BYTES = 256 * 1024;
/** Enough for all objects of most small packs. */
const FIRST_SCRATCH_BYTES = 16 * 1024;
const MAX_DELTA_HEADER_BYTES = 20;

/** How an entry's inflated bytes are taken. */
const WHOLE = 0;
const PIECES = 1;
const DELTA = 2;

/**
 * Reads the zlib streams of a pack's entries, one after the other, from chunks that are cut anywhere: checks their sizes and
 * makes the ids of whole objects. Holds at most {@link SCRATCH_BYTES} of an object.
 */
export class EntryReader {
  /** Commits, trees and tags that were too large to be shown. */
  readonly largeRows: number[] = [];
  /** The stream has been read to its end, and is what it should be. */
  hasEnded = false;
  readonly #options: PackParserOptions;
  readonly #entries: EntryTable;
  readonly #inflater: Inflater;
  readonly #hasher: ObjectHasher;
  readonly #createHasher: CreateHasher;
  #scratch: Uint8Array = new Uint8Array(PREAMBLE_ROOM + FIRST_SCRATCH_BYTES);
  #row = -1;
  #size = 0;
  #mode: typeof WHOLE | typeof PIECES | typeof DELTA = WHOLE;
  #inflated = 0;
  #outAt = 0;
  #pieceHasher: Hasher | undefined;
  #deltaChecked = false;

  constructor(entries: EntryTable, options: PackParserOptions) {
    this.#options = options;
    this.#entries = entries;
    this.#inflater = options.codec.createInflater();
    this.#hasher = new ObjectHasher(options.format, options.hash);
    this.#createHasher = options.hash.createHasher ?? createHasher;
  }

  /** Begins with the stream of `row`, which stands in the table already. */
  start(row: number, type: number, size: number): void {
    this.#row = row;
    this.#size = size;
    this.#inflated = 0;
    this.#outAt = PREAMBLE_ROOM;
    this.hasEnded = false;
    if (type >= ENTRY_OFS_DELTA) {
      this.#mode = DELTA;
      this.#deltaChecked = false;
    } else if (size < SCRATCH_BYTES) this.#mode = WHOLE;
    else {
      if (type !== ENTRY_BLOB) this.largeRows.push(row);
      this.#mode = PIECES;
      this.#pieceHasher = this.#createHasher(this.#options.format);
      this.#pieceHasher.update(objectPreamble(entryObjectType(type) as ObjectType, size));
    }
    if (size >= FIRST_SCRATCH_BYTES && this.#scratch.length < SCRATCH_BYTES)
      this.#scratch = new Uint8Array(PREAMBLE_ROOM + SCRATCH_BYTES);
    this.#inflater.reset();
  }

  /** Takes what `chunk` has of the stream from `at` on. @returns where the chunk goes on @throws PackError */
  read(chunk: Uint8Array, at: number): number {
    const inflater = this.#inflater;
    const scratch = this.#scratch;
    for (let next = at; ; ) {
      const ended = inflater.write(chunk, next, chunk.length, scratch, this.#outAt);
      const { consumed, produced } = inflater;
      next += consumed;
      this.#outAt += produced;
      this.#inflated += produced;
      if (this.#inflated > this.#size) throw new PackError("pack/bad-zlib", "inflate returned -5");
      if (ended) {
        this.#end();
        return next;
      }
      if (this.#mode !== WHOLE && this.#outAt > scratch.length - 1024) this.#takePiece();
      else if (consumed === 0 && produced === 0) throw new PackError("pack/bad-zlib", "inflate returned -5");
      if (next === chunk.length) return next;
    }
  }

  /** Nothing more will come. */
  close(): void {
    this.#inflater.release?.();
  }

  /** Empties the scratch of an entry that does not fit into it. */
  #takePiece(): void {
    const piece = this.#scratch.subarray(PREAMBLE_ROOM, this.#outAt);
    if (this.#mode === PIECES) this.#pieceHasher?.update(piece);
    else this.#checkDelta(piece);
    this.#outAt = PREAMBLE_ROOM;
  }

  /** A delta says at its start how large an object it makes: what is too large is refused before anything is made. */
  #checkDelta(start: Uint8Array): void {
    if (this.#deltaChecked) return;
    this.#deltaChecked = true;
    this.#options.budget.takeObject(decodeDeltaHeader(start.subarray(0, MAX_DELTA_HEADER_BYTES)).resultSize);
  }

  #end(): void {
    if (this.#inflated < this.#size) throw new PackError("pack/bad-zlib", "inflate returned 1");
    this.hasEnded = true;
    const entries = this.#entries;
    const row = this.#row;
    const idAt = row * entries.idLength;
    if (this.#mode === WHOLE) {
      const type = entryObjectType(entries.types[row] as number) as ObjectType;
      this.#hasher.hash(type, this.#scratch, PREAMBLE_ROOM, this.#size, entries.ids, idAt);
      if (type !== "blob") this.#inspect(row);
      return;
    }
    this.#takePiece();
    if (this.#pieceHasher !== undefined) entries.ids.set(this.#pieceHasher.digest(), idAt);
    this.#pieceHasher = undefined;
  }

  #inspect(row: number): void {
    const { inspect } = this.#options;
    if (inspect === undefined) return;
    const entries = this.#entries;
    const data = this.#scratch.subarray(PREAMBLE_ROOM, PREAMBLE_ROOM + this.#size);
    inspect({ row, kind: entries.kinds[row] as number, data, delta: undefined, rawId: entries.id(row) });
  }
}
