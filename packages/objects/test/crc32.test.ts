import { crc32 as zlibCrc32 } from "node:zlib";
import { describe, expect, it } from "vitest";
import { crc32 } from "../src/index.ts";

const noise = (size: number) =>
  Uint8Array.from({ length: size }, (_, i) => Math.imul(i + 1, 2654435761) >>> 24);

describe("crc32", () => {
  it("gives the check value of the standard", () => {
    expect(crc32(new TextEncoder().encode("123456789"), 0)).toBe(0xcbf43926);
    expect(crc32(new Uint8Array(0), 0)).toBe(0);
  });

  it("is node:zlib's for every length and alignment", () => {
    const bytes = noise(300);
    for (let start = 0; start < 9; start++)
      for (let end = start; end <= bytes.length; end++) {
        const part = bytes.subarray(start, end);
        expect(crc32(part, 0)).toBe(zlibCrc32(part, 0));
      }
  });

  it("goes on from where it stopped", () => {
    const bytes = noise(100);
    for (let cut = 0; cut <= 100; cut++)
      expect(crc32(bytes.subarray(cut), crc32(bytes.subarray(0, cut), 0))).toBe(crc32(bytes, 0));
  });
});
