import { describe, expect, it } from "vitest";
import { memorySource } from "../src/format/byte-source.ts";
import { deltaYield, runDelta } from "../src/format/delta.ts";
import { DeltaPieces } from "../src/format/delta-pieces.ts";
import { applyDelta, decodeDeltaHeader, PackError } from "../src/index.ts";
import { bytesOf, concat, copy, delta, insert, noise } from "./pack-builder.ts";

const base = noise(200_000);
const code = (run: () => unknown): unknown => {
  try {
    run();
    return "fine";
  } catch (error) {
    return (error as { code?: string }).code;
  }
};

/** Deltas that are right, and what they make. */
const GOOD: readonly (readonly [string, Uint8Array, Uint8Array])[] = [
  ["copies of every length around the sizes that matter", ...manyCopies()],
  ["64 KiB in one byte", delta(base.length, 65536, Uint8Array.of(0x80)), base.subarray(0, 65536)],
  [
    "offsets of 1, 2 and 3 bytes",
    delta(base.length, 3, copy(1, 1), copy(0x100, 1), copy(0x10203, 1)),
    Uint8Array.of(base[1] as number, base[256] as number, base[0x10203] as number),
  ],
  ["the end of the base", delta(base.length, 7, copy(base.length - 7, 7)), base.subarray(-7)],
  [
    "short and long inserts",
    delta(base.length, 3 + 127, insert(bytesOf("abc")), insert(noise(127))),
    concat(bytesOf("abc"), noise(127)),
  ],
  ["nothing", delta(base.length, 0), new Uint8Array(0)],
];

function manyCopies(): [Uint8Array, Uint8Array] {
  const ops: Uint8Array[] = [];
  const parts: Uint8Array[] = [];
  for (const size of [1, 2, 23, 24, 25, 255, 256, 257, 65535, 65536, 65537, 0x10100]) {
    ops.push(copy(size, size), insert(bytesOf("|")));
    parts.push(base.subarray(size, 2 * size), bytesOf("|"));
  }
  const result = concat(...parts);
  return [delta(base.length, result.length, ...ops), result];
}

const ABCD = insert(bytesOf("abcd"));
const BAD: readonly (readonly [string, Uint8Array])[] = [
  ["no bytes", new Uint8Array(0)],
  ["half a header", Uint8Array.of(0x80)],
  ["one size", Uint8Array.of(5)],
  ["a size beyond 2^53", new Uint8Array(12).fill(0xff)],
  ["another base size", delta(base.length - 1, 4, ABCD)],
  ["instruction 0", delta(base.length, 4, Uint8Array.of(0), ABCD)],
  ["too little", delta(base.length, 5, ABCD)],
  ["too much inserted", delta(base.length, 3, ABCD)],
  ["too much copied", delta(base.length, 3, copy(0, 4))],
  ["a copy beyond the base", delta(base.length, 4, copy(base.length - 3, 4))],
  ["a copy from 4 GiB", delta(base.length, 4, copy(0xffffffff, 4))],
  ["half an insert", delta(base.length, 4, Uint8Array.of(4, 1, 2, 3))],
  ["half a copy", delta(base.length, 4, Uint8Array.of(0x91, 0))],
  ["a copy without its offset", delta(base.length, 65536, Uint8Array.of(0x81))],
];

describe("applyDelta", () => {
  it.each(GOOD)("makes %s", (_, bytes, expected) => {
    expect(Buffer.compare(applyDelta(base, bytes, 1e6), expected)).toBe(0);
  });

  it.each(BAD)("refuses %s", (_, bytes) => {
    expect(code(() => applyDelta(base, bytes, 1e6))).toBe("pack/bad-delta");
  });

  it("refuses what would be too large, before it is made", () => {
    const bytes = delta(base.length, 2 ** 45, copy(0, 4));
    expect(code(() => applyDelta(base, bytes, 1e6))).toBe("pack/limit-exceeded");
    expect(decodeDeltaHeader(bytes)).toEqual({ baseSize: base.length, resultSize: 2 ** 45, opsAt: 10 });
  });

  it("refuses every delta that is cut short", () => {
    const [, bytes] = GOOD[0] as (typeof GOOD)[0];
    for (let end = 0; end < bytes.length; end++)
      expect(code(() => applyDelta(base, bytes.subarray(0, end), 1e6))).toBe("pack/bad-delta");
  });
});

describe("DeltaPieces", () => {
  /** What comes of a delta that is cut into pieces, and its base read likewise. */
  function inPieces(bytes: Uint8Array, size: number): Uint8Array {
    const buffer = new Uint8Array(size);
    const cut = function* () {
      for (let at = 0; at < bytes.length; at += size) {
        buffer.fill(0);
        buffer.set(bytes.subarray(at, at + size));
        yield buffer.subarray(0, Math.min(size, bytes.length - at));
      }
    };
    const pieces = new DeltaPieces(cut());
    const { baseSize, resultSize } = pieces.header();
    if (baseSize !== base.length) throw new PackError("pack/bad-delta", "another base");
    const made: Uint8Array[] = [];
    let told = 0;
    for (const count of pieces.run(memorySource(base), resultSize, (piece) => void made.push(piece.slice())))
      told += count;
    const whole = concat(...made);
    expect(told).toBe(whole.length);
    return whole;
  }

  const twice = delta(
    base.length,
    2 * base.length,
    ...[0, 1].flatMap(() => [0, 1, 2, 3].map((i) => copy(i * 50_000, 50_000))),
  );

  it.each([...GOOD, ["more than a piece", twice, concat(base, base)] as const])(
    "makes %s",
    (_, bytes, expected) => {
      for (const size of [1, 7, 130, 65_536]) expect(Buffer.compare(inPieces(bytes, size), expected)).toBe(0);
    },
  );

  it.each(BAD)("refuses %s", (_, bytes) => {
    for (const size of [1, 7, 65_536]) expect(code(() => inPieces(bytes, size))).toBe("pack/bad-delta");
  });

  it("refuses every delta that is cut short", () => {
    const [, bytes] = GOOD[0] as (typeof GOOD)[0];
    for (let end = 0; end < bytes.length; end++)
      expect(code(() => inPieces(bytes.subarray(0, end), 64))).toBe("pack/bad-delta");
  });

  it("tells of a base that has become shorter", () => {
    for (const size of [100, 40_000]) {
      const pieces = new DeltaPieces([delta(base.length, size, copy(base.length - size, size))]);
      pieces.header();
      const short = { ...memorySource(base.subarray(0, -1)), size: base.length };
      expect(code(() => pieces.run(short, size, () => {}).next())).toBe("pack/truncated");
    }
  });
});

describe("runDelta", () => {
  /** Base, delta and result in one array, with something else all around. */
  function within(bytes: Uint8Array, size: number): Uint8Array {
    const { opsAt } = decodeDeltaHeader(bytes);
    const arena = concat(
      noise(9),
      base,
      noise(9),
      bytes,
      noise(9),
      new Uint8Array(size),
      Uint8Array.of(0x5a),
    );
    const deltaAt = 9 + base.length + 9;
    const deltaEnd = deltaAt + bytes.length;
    runDelta(arena, 9, base.length, arena, deltaAt + opsAt, deltaEnd, arena, deltaEnd + 9, size);
    expect(arena.at(-1)).toBe(0x5a);
    return arena.subarray(deltaEnd + 9, -1);
  }

  it.each(GOOD)("makes %s inside one array", (_, bytes, expected) => {
    expect(Buffer.compare(within(bytes, expected.length), expected)).toBe(0);
    expect(deltaYield(bytes, decodeDeltaHeader(bytes).opsAt, bytes.length)).toBe(expected.length);
  });

  it.each(BAD.slice(5))("refuses %s inside one array", (_, bytes) => {
    expect(code(() => within(bytes, decodeDeltaHeader(bytes).resultSize))).toBe("pack/bad-delta");
  });

  it("refuses every delta that is cut short inside one array, whatever follows", () => {
    const [, bytes, expected] = GOOD[0] as (typeof GOOD)[0];
    const { opsAt } = decodeDeltaHeader(bytes);
    for (let end = opsAt; end < bytes.length; end++)
      expect(code(() => within(bytes.subarray(0, end), expected.length))).toBe("pack/bad-delta");
  });
});
