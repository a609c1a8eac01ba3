import { describe, expect, it } from "vitest";
import { applyDelta } from "../src/format/delta.ts";
import { encodeDelta } from "../src/format/delta-encoder.ts";

/** Numbers that look random and are the same every time. */
function* numbers(seed: number): Generator<number, never> {
  for (let state = seed; ; ) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    yield state >>> 8;
  }
}

function randomBytes(length: number, seed: number, range = 256): Uint8Array {
  const next = numbers(seed);
  return Uint8Array.from({ length }, () => next.next().value % range);
}

function edit(base: Uint8Array, seed: number): Uint8Array {
  const next = numbers(seed);
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < base.length; ) {
    const size = 1 + (next.next().value % 3000);
    const kind = next.next().value % 4;
    if (kind > 0) pieces.push(base.subarray(at, at + size));
    if (kind === 1) pieces.push(randomBytes(next.next().value % 300, size));
    at += size;
  }
  return Uint8Array.from(pieces.flatMap((piece) => [...piece]));
}

describe("encodeDelta", () => {
  it("makes the target of the base again, whatever was edited", () => {
    for (let seed = 1; seed <= 60; seed++) {
      const base = randomBytes((seed * 7919) % 40_000, seed, seed % 3 === 0 ? 4 : 256);
      const target = edit(base, seed + 1000);
      const delta = encodeDelta(base, target, target.length + 10_000) as Uint8Array;
      expect(Buffer.compare(applyDelta(base, delta, 1e6), target)).toBe(0);
    }
  });

  it("is short for a small change in a large text", () => {
    const base = randomBytes(300_000, 5);
    const target = base.slice();
    target[150_000] = (target[150_000] as number) ^ 1;
    expect(encodeDelta(base, target, target.length)?.length).toBeLessThan(100);
  });

  it("copies more than 64 KiB, from offsets with zero bytes, and exactly 64 KiB", () => {
    const base = randomBytes(0x40000, 9);
    for (const [start, end] of [
      [0, 0x10000],
      [0x10000, 0x20000],
      [0x100, 0x30100],
      [0x3ff00, 0x40000],
    ]) {
      const target = base.slice(start, end);
      const delta = encodeDelta(base, target, 1000) as Uint8Array;
      expect(Buffer.compare(applyDelta(base, delta, 1e6), target)).toBe(0);
    }
  });

  it("copes with empty and tiny ends", () => {
    for (const [base, target] of [
      ["", ""],
      ["", "abc"],
      ["abc", ""],
      ["0123456789abcdef", "0123456789abcdef"],
      ["0123456789abcde", "0123456789abcde"],
    ].map((texts) => texts.map((text) => new TextEncoder().encode(text))) as [Uint8Array, Uint8Array][]) {
      const delta = encodeDelta(base, target, 1000) as Uint8Array;
      expect(Buffer.compare(applyDelta(base, delta, 1000), target)).toBe(0);
    }
  });

  it("takes its time even where all blocks are alike", () => {
    const base = new Uint8Array(1_000_000);
    const target = new Uint8Array(999_990).fill(1, 500_000, 500_010);
    expect(
      Buffer.compare(applyDelta(base, encodeDelta(base, target, 10_000) as Uint8Array, 1e6), target),
    ).toBe(0);
  });

  it("gives up where the delta would be too long", () => {
    expect(encodeDelta(randomBytes(5000, 1), randomBytes(5000, 2), 2500)).toBeUndefined();
  });
});
