import type { ByteSource } from "../format/byte-source.ts";

/** What is read at once, from where a small piece was asked for. Unit: bytes. */
const STEP = 64 * 1024;

/** A piece that begins so close behind the one before it is likely to be followed by more of the kind. Unit: bytes. */
const NEAR = 8 * 1024;

/** Larger pieces are not worth a copy. Unit: bytes. */
const LARGE = 16 * 1024;

/** A {@link ByteSource} that is read from front to back: small pieces with small gaps between them share one read. */
export class ForwardSource implements ByteSource {
  readonly #source: ByteSource;
  #step: Uint8Array | undefined;
  #start = 0;
  #length = 0;
  /** Where the piece before this one ended. */
  #end = -NEAR;

  constructor(source: ByteSource) {
    this.#source = source;
  }

  get size(): number {
    return this.#source.size;
  }

  read(offset: number, into: Uint8Array): number {
    const gap = offset - this.#end;
    this.#end = offset + into.length;
    const isAhead = offset >= this.#start && this.#end <= this.#start + this.#length;
    if (!isAhead) {
      if (gap < 0 || gap >= NEAR || into.length >= LARGE) return this.#source.read(offset, into);
      this.#step ??= new Uint8Array(STEP);
      this.#length = 0; // reading may fail
      this.#length = this.#source.read(offset, this.#step);
      this.#start = offset;
    }
    const from = offset - this.#start;
    const piece = (this.#step as Uint8Array).subarray(from, Math.min(from + into.length, this.#length));
    into.set(piece);
    return piece.length;
  }
}
