import { PackError } from "../errors.ts";
import type { ByteSource } from "../format/byte-source.ts";
import type { Inflater, ZlibCodec } from "../format/zlib-codec.ts";
import { WindowCache } from "../read/window-cache.ts";
import type { EntryTable } from "./entry-table.ts";

const MAX_WINDOWS = 256;
/** Longer streams are read piece by piece. Unit: bytes. */
const PIECE_BYTES = 64 * 1024;

/** Inflates entries of a pack that was read through once already. */
export class EntryInflater {
  /** Entries that came with the pack. */
  readonly count: number;
  readonly #entries: EntryTable;
  readonly #source: ByteSource;
  readonly #entriesEnd: number;
  readonly #codec: ZlibCodec;
  readonly #windows: WindowCache;
  #inflater: Inflater | undefined;

  constructor(entries: EntryTable, source: ByteSource, entriesEnd: number, codec: ZlibCodec) {
    this.count = entries.count;
    this.#entries = entries;
    this.#source = source;
    this.#entriesEnd = entriesEnd;
    this.#codec = codec;
    this.#windows = new WindowCache(source, MAX_WINDOWS);
  }

  /** Writes the stream of `row` into `output` from `at` on, where its size and one more byte have room. @throws PackError */
  inflate(row: number, output: Uint8Array, at: number): void {
    const { start, end } = this.#extent(row);
    const size = this.#entries.sizes[row] as number;
    const length = end - start;
    if (length > PIECE_BYTES) {
      this.#inflatePieces(row, output, at);
      return;
    }
    const bytes = this.#windows.view(start, length);
    const taken = this.#codec.inflate(
      bytes,
      0,
      Math.min(length, bytes.length),
      output.subarray(at, at + size + 1),
    );
    if (taken !== length) throw changed(start);
  }

  #inflatePieces(row: number, output: Uint8Array, at: number): void {
    const room = output.subarray(0, at + (this.#entries.sizes[row] as number) + 1);
    let out = at;
    for (const produced of this.#run(row, () => [room, out])) out += produced;
  }

  /** The stream of `row` in pieces, views that hold until the next is asked for, or until another row is. @throws PackError */
  *pieces(row: number): Generator<Uint8Array, void> {
    const output = new Uint8Array(PIECE_BYTES);
    for (const produced of this.#run(row, () => [output, 0]))
      if (produced > 0) yield output.subarray(0, produced);
  }

  /** Inflates a stream into what `room` gives, and where it says, time after time; yields how many bytes came of it. */
  *#run(row: number, room: () => readonly [Uint8Array, number]): Generator<number, void> {
    const { start, end } = this.#extent(row);
    this.#inflater ??= this.#codec.createInflater();
    this.#inflater.reset();
    const piece = new Uint8Array(Math.min(PIECE_BYTES, end - start));
    let left = this.#entries.sizes[row] as number;
    for (let offset = start; offset < end; ) {
      const read = this.#source.read(offset, piece.subarray(0, Math.min(piece.length, end - offset)));
      if (read === 0) throw changed(start);
      for (let next = 0; next < read; ) {
        const [output, at] = room();
        this.#inflater.write(piece, next, read, output, at);
        const { consumed, produced } = this.#inflater;
        if (consumed === 0 && produced === 0) throw changed(start);
        next += consumed;
        left -= produced;
        if (left < 0) throw changed(start);
        yield produced;
      }
      offset += read;
    }
    if (left !== 0) throw changed(start);
  }

  /** Where the stream of `row` lies. */
  #extent(row: number): { readonly start: number; readonly end: number } {
    const { offsets, headerBytes } = this.#entries;
    const start = (offsets[row] as number) + (headerBytes[row] as number);
    const end = row + 1 < this.count ? (offsets[row + 1] as number) : this.#entriesEnd;
    return { start, end };
  }
}

function changed(offset: number): PackError {
  return new PackError("pack/bad-zlib", "serious inflate inconsistency", { offset });
}
