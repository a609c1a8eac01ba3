import { constants, deflateRawSync } from "node:zlib";
import type { Gzip } from "@x/archive";
import { crc32 } from "@x/objects";
import { nodeCrc32 } from "@x/pack/node";

/** Each block is deflated by a call of its own, which costs the more the smaller they are. Unit: bytes. */
const BLOCK_BYTES = 256 * 1024;

/** How far back deflate looks. Unit: bytes. */
const WINDOW_BYTES = 32 * 1024;

/**
 * gzip by `node:zlib`, at once instead of in its own threads: one stream, of whose blocks each knows the end of the one
 * before. Header and trailer are git's. Spec: RFC 1951; RFC 1952
 */
export function createNodeGzip(level: number | undefined): Gzip {
  const checksum = nodeCrc32 ?? crc32;
  const window = new Uint8Array(WINDOW_BYTES);
  let size = 0;
  let crc = 0;

  function deflate(bytes: Uint8Array, finishFlush: number): Uint8Array {
    const dictionary = size === 0 ? undefined : window;
    const deflated = deflateRawSync(bytes, {
      finishFlush,
      ...(level !== undefined && { level }),
      ...(dictionary && { dictionary }),
    });
    crc = checksum(bytes, crc);
    size += bytes.length;
    return deflated;
  }

  return {
    blockBytes: BLOCK_BYTES,
    *write(block) {
      if (size === 0) yield header(level);
      yield deflate(block, constants.Z_SYNC_FLUSH);
      window.set(block.subarray(-WINDOW_BYTES));
    },
    *end(rest) {
      if (size === 0) yield header(level);
      yield deflate(rest, constants.Z_FINISH);
      const trailer = new DataView(new ArrayBuffer(8));
      trailer.setUint32(0, crc, true);
      trailer.setUint32(4, size, true); // what is above 2^32 is cut off, as it has to be
      yield new Uint8Array(trailer.buffer);
    },
  };
}

/** No name, no time, and Unix for a system. */
function header(level: number | undefined): Uint8Array {
  const effort = level === 9 ? 2 : level === 0 || level === 1 ? 4 : 0;
  return Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, effort, 3);
}
