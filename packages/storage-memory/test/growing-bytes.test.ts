import { describe, expect, it } from "vitest";
import { GrowingBytes } from "../src/growing-bytes.ts";

describe("GrowingBytes", () => {
  const whole = Uint8Array.from({ length: 40_000 }, (_, i) => i * 7);
  const read = (bytes: GrowingBytes, at: number, length: number) => {
    const into = new Uint8Array(length);
    return into.subarray(0, bytes.read(at, into));
  };

  it("gives back what was put there, however it is cut", () => {
    for (const size of [1, 7, 4096, 10_000, 40_000]) {
      const bytes = new GrowingBytes(40_000);
      for (let at = 0; at < whole.length; at += size) bytes.append(whole.subarray(at, at + size));
      for (const trimmed of [false, true]) {
        if (trimmed) bytes.trim();
        expect(bytes.size).toBe(whole.length);
        expect(read(bytes, 0, 40_000)).toEqual(whole);
        for (const at of [0, 4095, 4096, 8191, 39_999])
          expect(read(bytes, at, 5000)).toEqual(whole.subarray(at, at + 5000));
        expect(read(bytes, 40_000, 10)).toEqual(new Uint8Array(0));
        expect(read(bytes, 50_000, 10)).toEqual(new Uint8Array(0));
      }
    }
  });

  it("is changed where it is patched, across its segments too", () => {
    const bytes = new GrowingBytes(40_000);
    bytes.append(whole);
    const patch = new Uint8Array(9000).fill(1);
    bytes.patch(4000, patch);
    expect(read(bytes, 4000, 9000)).toEqual(patch);
    expect(read(bytes, 3999, 1)).toEqual(whole.subarray(3999, 4000));
    expect(read(bytes, 13_000, 10)).toEqual(whole.subarray(13_000, 13_010));
  });

  it("takes no more than it may", () => {
    const bytes = new GrowingBytes(10);
    bytes.append(new Uint8Array(10));
    expect(() => bytes.append(new Uint8Array(1))).toThrow(
      expect.objectContaining({ code: "objects/limit-exceeded" }),
    );
    expect(bytes.size).toBe(10);
  });
});
