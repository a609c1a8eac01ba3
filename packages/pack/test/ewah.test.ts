import { describe, expect, it } from "vitest";
import { PackError } from "../src/errors.ts";
import { BitSet } from "../src/format/bit-set.ts";
import { flipEwah } from "../src/format/ewah.ts";
import { ewah, ewahOf, runWord } from "./bitmap-builder.ts";
import { Random } from "./random.ts";

function bitsOf(set: BitSet): number[] {
  const bits: number[] = [];
  for (let bit = set.next(0); bit >= 0; bit = set.next(bit + 1)) bits.push(bit);
  return bits;
}

function decoded(bytes: Uint8Array, size: number): number[] {
  const set = new BitSet(size);
  flipEwah(bytes, set);
  return bitsOf(set);
}

/** Long stretches of both kinds, and mixtures. */
function randomBits(random: Random, size: number): number[] {
  const bits: number[] = [];
  for (let at = 0; at < size; ) {
    const end = Math.min(size, at + 1 + random.below(300));
    const kind = random.below(3);
    for (; at < end; at++) if (kind === 0 || (kind === 1 && random.once(2))) bits.push(at);
  }
  return bits;
}

describe("compressed bitmaps", () => {
  it("hold the bits that went in", () => {
    const random = new Random(1);
    for (let round = 0; round < 200; round++) {
      const size = random.below(3000);
      const bits = randomBits(random, size);
      expect(decoded(ewah(bits), size)).toEqual(bits);
    }
  });

  it("flip what is there: a difference on top of its base gives the whole", () => {
    const random = new Random(2);
    for (let round = 0; round < 50; round++) {
      const [one, other] = [new Set(randomBits(random, 2000)), new Set(randomBits(random, 2000))];
      const set = new BitSet(2000);
      flipEwah(ewah([...one]), set);
      flipEwah(ewah([...other]), set);
      const odd = Array.from({ length: 2000 }, (_, i) => i).filter((bit) => one.has(bit) !== other.has(bit));
      expect(bitsOf(set)).toEqual(odd);
    }
  });

  it("are read in the order that C git writes: the lowest bit of a word first, runs before literals", () => {
    const bytes = ewahOf([runWord(true, 1, 2), 1n, 1n << 63n, runWord(false, 1, 1), 1n << 32n]);
    const run = Array.from({ length: 64 }, (_, i) => i);
    expect(decoded(bytes, 320)).toEqual([...run, 64, 191, 256 + 32]);
  });

  it("have to end where they say", () => {
    const bytes = ewah(randomBits(new Random(3), 900));
    for (let length = 0; length < bytes.length; length++)
      expect(() => decoded(bytes.subarray(0, length), 900)).toThrow(PackError);
    expect(() => decoded(new Uint8Array([...bytes, 0]), 900)).toThrow(PackError);
  });

  it.each([
    ["a run", [runWord(true, 3, 0)]],
    ["a run of nothing", [runWord(false, 2 ** 32 - 1, 0)]],
    ["a literal", [runWord(false, 2, 1), 1n]],
    ["more literals than there are bytes", [runWord(false, 0, 2), 1n]],
    ["all that a word can say", [2n ** 64n - 1n]],
  ])("may not go beyond the objects there are with %s", (_, words) => {
    expect(() => decoded(ewahOf(words), 128)).toThrow(PackError);
  });

  it("with any bit changed give other bits or are refused, and end soon", () => {
    const bytes = ewah(randomBits(new Random(4), 700));
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const changed = bytes.slice();
      changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7));
      const set = new BitSet(704);
      try {
        flipEwah(changed, set);
      } catch (error) {
        expect(error).toBeInstanceOf(PackError);
      }
      expect(set.next(704)).toBe(-1);
    }
  });
});

describe("bit sets", () => {
  it("find bits from anywhere, also in their last word", () => {
    const set = new BitSet(130);
    flipEwah(ewah([0, 31, 32, 63, 64, 129]), set);
    expect([0, 1, 31, 32, 33, 64, 65, 129, 130].map((from) => set.next(from))).toEqual([
      0, 31, 31, 32, 63, 64, 129, 129, -1,
    ]);
    expect([0, 1, 31, 128, 129].map((bit) => set.has(bit))).toEqual([true, false, true, false, true]);
  });

  it("add and take out", () => {
    const [one, other] = [new BitSet(100), new BitSet(100)];
    flipEwah(ewah([1, 40, 70]), one);
    flipEwah(ewah([40, 99]), other);
    one.or(other);
    expect(bitsOf(one)).toEqual([1, 40, 70, 99]);
    one.remove(other);
    expect(bitsOf(one)).toEqual([1, 70]);
    one.clear();
    expect(bitsOf(one)).toEqual([]);
    expect(bitsOf(new BitSet(0))).toEqual([]);
  });
});
