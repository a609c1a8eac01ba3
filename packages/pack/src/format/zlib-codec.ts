import {
  Deflate,
  deflate,
  Z_NO_FLUSH,
  Z_OK,
  Z_STREAM_END,
  Z_SYNC_FLUSH,
  ZStream,
  zlibInflate,
  zlibInflateInit,
  zlibInflateReset,
} from "pako";
import { PackError } from "../errors.ts";

/** Inflates one zlib stream after the other, each from input that may be cut anywhere. */
export interface Inflater {
  /** Forgets the stream in progress; the next `write` starts a new one. */
  reset(): void;
  /**
   * Inflates `input[at … end)` into `output` from `outAt` on, as far as either goes.
   * @returns whether the stream's end is known to have been reached. An implementation may learn it only from the next
   *   non-empty input: it then consumes nothing of it.
   * @throws PackError `pack/bad-zlib`
   */
  write(input: Uint8Array, at: number, end: number, output: Uint8Array, outAt: number): boolean;
  /** Input bytes that the last `write` took. */
  readonly consumed: number;
  /** Output bytes that the last `write` made. */
  readonly produced: number;
  /** Leaves it to whoever needs one next: it may not be used any more. */
  release?(): void;
}

/** The one road to zlib. `./node` has one on `node:zlib`. */
export interface ZlibCodec {
  /**
   * Inflates the whole zlib stream at `input[at … end)`, bytes after it being left alone. `output` is one byte longer
   * than the stream's declared size, so that a longer stream is noticed.
   * @returns how many input bytes the stream has
   * @throws PackError `pack/truncated` when the input ends first, `pack/bad-zlib` when it is broken or of another size
   */
  inflate(input: Uint8Array, at: number, end: number, output: Uint8Array): number;
  /** A whole zlib stream for `data`, at zlib's default level unless told. */
  deflate(data: Uint8Array, level?: number): Uint8Array;
  /** Blocks of raw deflate for `data`, none of them the last, up to a whole byte. Spec: RFC 1951; zlib's `Z_SYNC_FLUSH`. */
  deflateBlocks(data: Uint8Array, level: number): Uint8Array;
  createInflater(): Inflater;
}

/** Wording shared by all codecs. */
export function wrongSize(): PackError {
  return new PackError("pack/bad-zlib", "inflated size differs from the declared one");
}

/** The neutral {@link ZlibCodec}, on pako. */
export function createZlibCodec(): ZlibCodec {
  const one = createInflater();
  return {
    inflate(input, at, end, output) {
      one.reset();
      const ended = one.write(input, at, end, output, 0);
      if (ended && one.produced === output.length - 1) return one.consumed;
      if (!ended && one.produced < output.length)
        throw new PackError("pack/truncated", "a zlib stream stops short");
      throw wrongSize();
    },
    deflate: (data, level) => deflate(data, level === undefined ? {} : { level: level as 0 }),
    deflateBlocks,
    createInflater,
  };
}

function deflateBlocks(data: Uint8Array, level: number): Uint8Array {
  const deflater = new Deflate({ level: level as 0, raw: true });
  const parts: Uint8Array[] = [];
  deflater.onData = (part) => void parts.push(part as Uint8Array);
  deflater.push(data, Z_SYNC_FLUSH);
  const blocks = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    blocks.set(part, at);
    at += part.length;
  }
  return blocks;
}

function createInflater(): Inflater {
  const stream = new ZStream();
  zlibInflateInit(stream);
  let consumed = 0;
  let produced = 0;
  return {
    reset: () => void zlibInflateReset(stream),
    write(input, at, end, output, outAt) {
      stream.input = input as Uint8Array<ArrayBuffer>;
      stream.next_in = at;
      stream.avail_in = end - at;
      stream.output = output as Uint8Array<ArrayBuffer>;
      stream.next_out = outAt;
      stream.avail_out = output.length - outAt;
      const status = zlibInflate(stream, Z_NO_FLUSH);
      consumed = stream.next_in - at;
      produced = stream.next_out - outAt;
      if (status === Z_STREAM_END) return true;
      // Z_BUF_ERROR (-5) only says that this call could not go on: no input or no room.
      if (status === Z_OK || status === -5) return false;
      throw new PackError("pack/bad-zlib", `inflate: ${stream.msg || `error ${status}`}`);
    },
    get consumed() {
      return consumed;
    },
    get produced() {
      return produced;
    },
  };
}
