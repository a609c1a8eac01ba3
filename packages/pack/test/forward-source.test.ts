import { describe, expect, it } from "vitest";
import { ForwardSource } from "../src/read/forward-source.ts";
import { noise } from "./pack-builder.ts";
import { Random } from "./random.ts";

function counted(bytes: Uint8Array) {
  const source = {
    size: bytes.length,
    reads: 0,
    read(offset: number, into: Uint8Array) {
      source.reads++;
      const piece = bytes.subarray(offset, offset + into.length);
      into.set(piece);
      return piece.length;
    },
  };
  return source;
}

describe("a source that is read forward", () => {
  it("reads what its source has, wherever and however much is asked for", () => {
    const bytes = noise(300_000);
    const forward = new ForwardSource(counted(bytes));
    expect(forward.size).toBe(bytes.length);
    const numbers = new Random(7);
    const random = (below: number) => numbers.below(below);
    for (let offset = 0, i = 0; i < 5000; i++) {
      const into = new Uint8Array(random(i % 50 === 0 ? 100_000 : 900));
      const read = forward.read(offset, into);
      const expected = bytes.subarray(offset, offset + into.length);
      expect(read).toBe(expected.length);
      expect(Buffer.compare(into.subarray(0, read), expected)).toBe(0);
      offset = random(20) === 0 ? random(bytes.length + 10) : offset + into.length + random(300);
    }
  });

  it("reads once for many small pieces, and no more than asked for where they lie far apart", () => {
    const source = counted(noise(1_000_000));
    const near = new ForwardSource(source);
    for (let offset = 0; offset < 200_000; offset += 1000) near.read(offset, new Uint8Array(500));
    expect(source.reads).toBeLessThan(10);
    source.reads = 0;
    const far = new ForwardSource(source);
    for (let offset = 0; offset < 1_000_000; offset += 50_000) far.read(offset, new Uint8Array(500));
    expect(source.reads).toBe(20);
  });

  it("gives what there is at the end, and fails as its source fails", () => {
    const forward = new ForwardSource(counted(noise(100)));
    forward.read(0, new Uint8Array(10));
    expect(forward.read(10, new Uint8Array(10))).toBe(10);
    expect(forward.read(95, new Uint8Array(10))).toBe(5);
    expect(forward.read(200, new Uint8Array(10))).toBe(0);
    let isBroken = false;
    const breaking = new ForwardSource({
      size: 200_000,
      read(_, into) {
        if (isBroken) throw new Error("gone");
        return into.fill(1).length;
      },
    });
    breaking.read(0, new Uint8Array(10));
    breaking.read(10, new Uint8Array(10));
    isBroken = true;
    expect(() => breaking.read(65_600, new Uint8Array(10))).toThrow("gone");
    expect(() => breaking.read(65_610, new Uint8Array(10))).toThrow("gone");
    isBroken = false;
    expect(breaking.read(65_620, new Uint8Array(10))).toBe(10);
  });
});
