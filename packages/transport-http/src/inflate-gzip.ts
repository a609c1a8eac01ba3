import { Z_BUF_ERROR, Z_NO_FLUSH, Z_OK, Z_STREAM_END, ZStream, zlibInflate, zlibInflateInit2 } from "pako";
import { TransportHttpError } from "./errors.ts";

/** Inflates a gzip stream of one member; throws when it is damaged, cut short, or goes on behind its end. */
export type InflateGzip = (body: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>;

/** What one step makes at most, however well the input was compressed. Unit: bytes. */
const STEP = 64 * 1024;

/** Others get a turn after so much, even while no input has to be waited for. Unit: bytes. */
const TURN = 1024 * 1024;

/** Largest window, gzip header and trailer. Spec: zlib.h, inflateInit2. */
const GZIP_WINDOW_BITS = 31;

/**
 * The default {@link InflateGzip}: on this thread, in steps as they are read, the same on every platform. (A
 * `DecompressionStream` may end a node process when its reader leaves early.) Spec: RFC 1952.
 */
export const inflateGzip: InflateGzip = async function* (body) {
  const inflater = new GzipInflater();
  let sinceTurn = 0;
  for await (const input of body) {
    inflater.add(input);
    for (let piece = inflater.next(); piece !== undefined; piece = inflater.next()) {
      sinceTurn += piece.length;
      if (sinceTurn >= TURN) {
        sinceTurn = 0;
        await new Promise((resolve) => setTimeout(resolve, 0));
      }
      yield piece;
    }
  }
  inflater.end();
};

class GzipInflater {
  readonly #stream = new ZStream();
  #atEnd = false;
  #isStarved = true;

  constructor() {
    zlibInflateInit2(this.#stream, GZIP_WINDOW_BITS);
  }

  /** More input, once `next` has no more to give. */
  add(input: Uint8Array): void {
    this.#stream.input = input as Uint8Array<ArrayBuffer>;
    this.#stream.next_in = 0;
    this.#stream.avail_in = input.length;
    this.#isStarved = false;
  }

  /** The next piece; `undefined` when input is needed first. @throws TransportHttpError bad-body */
  next(): Uint8Array | undefined {
    const stream = this.#stream;
    while (!this.#isStarved) {
      if (this.#atEnd) {
        if (stream.avail_in > 0) throw notGzip();
        return undefined;
      }
      stream.output = new Uint8Array(STEP);
      stream.next_out = 0;
      stream.avail_out = STEP;
      const status = zlibInflate(stream, Z_NO_FLUSH);
      if (status === Z_STREAM_END) this.#atEnd = true;
      else if (status !== Z_OK && status !== Z_BUF_ERROR) throw notGzip();
      // With room left it has seen all there is.
      else if (stream.avail_out > 0) this.#isStarved = true;
      if (stream.next_out > 0) return stream.output.subarray(0, stream.next_out);
    }
    return undefined;
  }

  /** @throws TransportHttpError bad-body: it is not whole */
  end(): void {
    if (!this.#atEnd) throw notGzip();
  }
}

function notGzip(): TransportHttpError {
  return new TransportHttpError("transport-http/bad-body", "the body is not a whole gzip stream");
}
