import type { PackSink } from "@x/pack";
import { describe, expect, it } from "vitest";
import { GrowingPack, MAX_HELD_PACK_BYTES } from "../src/worker/growing-pack.ts";
import type { PackFileSink } from "../src/worker/pack-file-sink.ts";

/** Stands in for a file. */
class Bytes implements PackSink {
  bytes = Buffer.alloc(0);
  get size(): number {
    return this.bytes.length;
  }
  append(bytes: Uint8Array): void {
    this.bytes = Buffer.concat([this.bytes, bytes]);
  }
  patch(offset: number, bytes: Uint8Array): void {
    this.bytes.set(bytes, offset);
  }
  read(offset: number, into: Uint8Array): number {
    const piece = this.bytes.subarray(offset, offset + into.length);
    into.set(piece);
    return piece.length;
  }
  close(): void {}
}

function grown(sizes: readonly number[]) {
  const files: Bytes[] = [];
  const pack = new GrowingPack(() => {
    const file = new Bytes();
    files.push(file);
    return file as unknown as PackFileSink;
  });
  const all: Buffer[] = [];
  for (const [i, size] of sizes.entries()) {
    const bytes = Buffer.alloc(size, i + 1);
    all.push(bytes);
    pack.append(bytes);
  }
  return { pack, files, all: Buffer.concat(all) };
}

function whole(pack: GrowingPack): Buffer {
  const bytes = Buffer.alloc(pack.size + 10);
  return bytes.subarray(0, pack.read(0, bytes));
}

describe("a growing pack", () => {
  it.each([[[12, 3000, 20]], [[MAX_HELD_PACK_BYTES - 20, 20]], [[12, 20_000, 20_000, 100_000, 20]]])(
    "is held while it is small: %j",
    (sizes) => {
      const { pack, files, all } = grown(sizes);
      expect(files).toEqual([]);
      expect(pack.size).toBe(all.length);
      expect(all.equals(pack.held as Uint8Array)).toBe(true);
      pack.patch(8, Buffer.from([9, 9, 9, 9]));
      all.fill(9, 8, 12);
      expect(whole(pack).equals(all)).toBe(true);
    },
  );

  it.each([[[MAX_HELD_PACK_BYTES - 20, 21]], [[12, MAX_HELD_PACK_BYTES * 2, 20]]])(
    "goes to a file when it is not: %j",
    (sizes) => {
      const { pack, files, all } = grown(sizes);
      expect(files).toHaveLength(1);
      expect(pack.held).toBeUndefined();
      pack.patch(8, Buffer.from([9, 9, 9, 9]));
      all.fill(9, 8, 12);
      expect(whole(pack).equals(all)).toBe(true);
      expect(pack.size).toBe(all.length);
    },
  );
});
