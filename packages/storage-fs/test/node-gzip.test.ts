import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { createNodeGzip } from "../src/worker/node-gzip.ts";

/** Words of a small language: they shrink, yet not to nothing. Unit of `size`: bytes. */
function textOf(size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  let state = 1;
  for (let at = 0; at < size; at++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    bytes[at] = 0x61 + ((state >>> 16) % 20);
    // What was there a while ago comes again, from the block before, too.
    if (at >= 20_000 && state % 3 !== 0) bytes[at] = bytes[at - 20_000] as number;
  }
  return bytes;
}

function gzip(bytes: Uint8Array, level?: number): Buffer {
  const { blockBytes, write, end } = createNodeGzip(level);
  const pieces: Uint8Array[] = [];
  // As it is used: every block in the same memory.
  const block = new Uint8Array(blockBytes);
  let at = 0;
  for (; at + blockBytes <= bytes.length; at += blockBytes) {
    block.set(bytes.subarray(at, at + blockBytes));
    for (const piece of write(block)) pieces.push(piece.slice());
    block.fill(0);
  }
  for (const piece of end(bytes.subarray(at))) pieces.push(piece.slice());
  return Buffer.concat(pieces);
}

const { blockBytes } = createNodeGzip(undefined);

describe("gzip by node:zlib, block by block", () => {
  it.each([0, 1, 10_240, blockBytes - 1, blockBytes, blockBytes + 1, 3 * blockBytes + 4711])(
    "gives back %d bytes",
    (size) => {
      const bytes = textOf(size);
      for (const level of [undefined, 0, 1, 6, 9])
        expect(gunzipSync(gzip(bytes, level)).equals(bytes)).toBe(true);
    },
  );

  it("begins as git's does: no name, no time, Unix", () => {
    const head = (level?: number) => gzip(textOf(100), level).toString("hex", 0, 10);
    expect([head(), head(1), head(9)]).toEqual([
      "1f8b0800000000000003",
      "1f8b0800000000000403",
      "1f8b0800000000000203",
    ]);
  });

  it("compresses as one stream: blocks know what was before them", () => {
    const bytes = textOf(4 * blockBytes);
    const alone = 4 * gzip(bytes.subarray(0, blockBytes)).length;
    expect(gzip(bytes).length).toBeLessThan(alone);
    expect(gzip(bytes, 9).length).toBeLessThan(gzip(bytes, 1).length);
    expect(gzip(bytes, 0).length).toBeGreaterThan(bytes.length);
  });
});
