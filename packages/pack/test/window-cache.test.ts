import { describe, expect, it } from "vitest";
import { memorySource } from "../src/format/byte-source.ts";
import { WindowCache } from "../src/read/window-cache.ts";
import { noise } from "./pack-builder.ts";
import { Random } from "./random.ts";

const BYTES = noise(500_000, 3);

describe("WindowCache", () => {
  it.each([1, 2, 3, 100])("shows what is there, %i windows", (maxWindows) => {
    const windows = new WindowCache(memorySource(BYTES), maxWindows);
    const random = new Random(maxWindows);
    for (let round = 0; round < 3000; round++) {
      const offset = random.below(BYTES.length + 100);
      const size = random.once(5) ? random.below(200_000) : random.below(100);
      const view = windows.view(offset, size);
      const available = Math.max(0, BYTES.length - offset);
      expect(view.length).toBeGreaterThanOrEqual(Math.min(size, available));
      expect(view.length).toBeLessThanOrEqual(available);
      expect(Buffer.compare(view, BYTES.subarray(offset, offset + view.length))).toBe(0);
    }
  });

  it("reads a stretch once while it is kept", () => {
    let reads = 0;
    const source = memorySource(BYTES);
    const counted = {
      size: source.size,
      read: (offset: number, into: Uint8Array) => {
        reads++;
        return source.read(offset, into);
      },
    };
    const windows = new WindowCache(counted, 2);
    for (let i = 0; i < 100; i++) windows.view((i % 2) * 65_536 + i, 20);
    expect(reads).toBe(2);
    windows.view(3 * 65_536, 20);
    windows.view(65_536, 20);
    expect(reads).toBe(3);
    windows.view(0, 20);
    expect(reads).toBe(4);
  });

  it("does not take a window that could not be read for one that was", () => {
    let fails = false;
    const source = memorySource(BYTES);
    const windows = new WindowCache(
      {
        size: source.size,
        read(offset, into) {
          if (fails) {
            into.fill(0);
            throw new Error("EIO");
          }
          return source.read(offset, into);
        },
      },
      1,
    );
    windows.view(0, 10);
    fails = true;
    expect(() => windows.view(70_000, 10)).toThrow("EIO");
    fails = false;
    expect(Buffer.compare(windows.view(0, 10), BYTES.subarray(0, 65_536))).toBe(0);
  });
});
