import type { ZlibCodec } from "./zlib-codec.ts";

/*
 * A zlib stream: 78 01, blocks of deflate, the Adler-32 of the data. Blocks that end at a whole byte, none of them marked as
 * the last, may follow each other from wherever they come; 03 00 is an empty last one.
 * Spec: RFC 1950, section 2.2; RFC 1951, section 3.2.3.
 */
const HEAD = Uint8Array.of(0x78, 0x01);
const LAST_BLOCK = Uint8Array.of(0x03, 0x00);

/** What is too large to be held is rarely text, and somebody waits. */
const LEVEL = 1;

const ADLER_BASE = 65521;
/** So many bytes can be summed up before the sums leave 32 bits. Spec: RFC 1950, section 9. */
const ADLER_RUN = 5552;

/** A zlib stream of data that comes in pieces, in pieces; views that hold until the next is asked for. */
export function* deflatePieces(data: Iterable<Uint8Array>, codec: ZlibCodec): Generator<Uint8Array, void> {
  yield HEAD;
  let adler = 1;
  for (const piece of data) {
    adler = adler32(piece, adler);
    yield codec.deflateBlocks(piece, LEVEL);
  }
  const tail = new Uint8Array(LAST_BLOCK.length + 4);
  tail.set(LAST_BLOCK);
  new DataView(tail.buffer).setUint32(LAST_BLOCK.length, adler);
  yield tail;
}

function adler32(bytes: Uint8Array, previous: number): number {
  let low = previous & 0xffff;
  let high = previous >>> 16;
  for (let at = 0; at < bytes.length; ) {
    for (const end = Math.min(bytes.length, at + ADLER_RUN); at < end; at++) {
      low += bytes[at] as number;
      high += low;
    }
    low %= ADLER_BASE;
    high %= ADLER_BASE;
  }
  return ((high << 16) | low) >>> 0;
}
