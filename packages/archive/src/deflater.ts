import {
  Z_FINISH,
  Z_NO_FLUSH,
  Z_STREAM_END,
  ZStream,
  zlibDeflate,
  zlibDeflateInit2,
  zlibDeflateReset,
} from "pako";

/** zlib's own default level. */
const DEFAULT_LEVEL = 6;

/** Deflated bytes come in pieces of this. gzip at level 0 depends on it. Unit: bytes. */
const OUTPUT_BYTES = 16_384;

/**
 * Deflates one stream after the other to the very bytes that zlib makes of it, which those of `node:zlib` are not: its
 * zlib hashes in another way.
 */
export class Deflater {
  readonly #stream = new ZStream();
  readonly #output = new Uint8Array(OUTPUT_BYTES);

  /** @param wrapper what is around a stream: nothing, or gzip's header and trailer */
  constructor(level: number | undefined, wrapper: "raw" | "gzip") {
    const windowBits = wrapper === "raw" ? -15 : 31;
    zlibDeflateInit2(this.#stream, level ?? DEFAULT_LEVEL, 8, windowBits, 8, 0, true);
    this.#makeRoom();
  }

  /** Starts the next stream. */
  reset(): void {
    zlibDeflateReset(this.#stream);
    this.#makeRoom();
  }

  /** Takes `input` in and gives what comes out; each piece holds until the next is asked for. */
  *write(input: Uint8Array): Generator<Uint8Array, void> {
    yield* this.#run(input, Z_NO_FLUSH);
  }

  /** Ends the stream with `input`. */
  *end(input: Uint8Array = new Uint8Array(0)): Generator<Uint8Array, void> {
    yield* this.#run(input, Z_FINISH);
  }

  *#run(input: Uint8Array, flush: typeof Z_NO_FLUSH | typeof Z_FINISH): Generator<Uint8Array, void> {
    const stream = this.#stream;
    stream.input = input as Uint8Array<ArrayBuffer>;
    stream.next_in = 0;
    stream.avail_in = input.length;
    for (;;) {
      const ended =
        stream.avail_in > 0 || flush === Z_FINISH ? zlibDeflate(stream, flush) === Z_STREAM_END : false;
      if (ended || stream.avail_out === 0) {
        yield this.#output.subarray(0, stream.next_out);
        this.#makeRoom();
        if (ended) return;
      } else if (stream.avail_in === 0 && flush === Z_NO_FLUSH) return;
    }
  }

  #makeRoom(): void {
    const stream = this.#stream;
    stream.output = this.#output as Uint8Array<ArrayBuffer>;
    stream.next_out = 0;
    stream.avail_out = OUTPUT_BYTES;
  }
}
