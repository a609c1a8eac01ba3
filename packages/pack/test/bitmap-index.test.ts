import { type ObjectFormat, objectIdToBytes } from "@x/objects";
import { createNodeHasher } from "@x/objects/node";
import { describe, expect, it } from "vitest";
import { BitSet } from "../src/format/bit-set.ts";
import { BitmapIndex } from "../src/format/bitmap-index.ts";
import { memorySource } from "../src/format/byte-source.ts";
import { PackError, type PackIndex } from "../src/index.ts";
import { type BitmapEntry, bitmapFile, ewah, ewahOf, runWord } from "./bitmap-builder.ts";
import { idOf, type MemoryObject, packedWhole } from "./memory-table.ts";

const OBJECTS = 70;

function someIndex(format: ObjectFormat): PackIndex {
  const objects = Array.from(
    { length: OBJECTS },
    (_, i): MemoryObject => ({ type: "blob", data: new Uint8Array([i, 7]) }),
  );
  const reader = packedWhole(objects, { format });
  for (const object of objects)
    expect(reader.index.find(objectIdToBytes(idOf(object, format)), 0)).toBeGreaterThanOrEqual(0);
  return reader.index;
}

function open(index: PackIndex, bytes: Uint8Array): BitmapIndex {
  return new BitmapIndex(memorySource(bytes), index, createNodeHasher);
}

function bitsOf(set: BitSet): number[] {
  return Array.from({ length: set.size }, (_, i) => i).filter((bit) => set.has(bit));
}

function reached(bitmaps: BitmapIndex, position: number): number[] {
  const set = new BitSet(bitmaps.count);
  bitmaps.read(position, set);
  return bitsOf(set);
}

describe.each<ObjectFormat>(["sha1", "sha256"])("bitmap files, %s", (format) => {
  const index = someIndex(format);
  const at = (rank: number) => index.order[rank] as number;

  it.each([{ table: false }, { table: true }])("tell what commits reach, %o", ({ table }) => {
    const entries: BitmapEntry[] = [
      { position: at(3), bitmap: ewah([3, 4, 69]) },
      { position: at(2), bitmap: ewah([2, 4]), distance: 1, base: 0 },
      { position: at(1), bitmap: ewah([1, 69, 3]), distance: 1, base: 1 },
    ];
    const bitmaps = open(index, bitmapFile(index, entries, { table }));
    expect(bitmaps.commits).toBe(3);
    expect([1, 2, 3, 4].map((rank) => bitmaps.has(at(rank)))).toEqual([true, true, true, false]);
    expect(reached(bitmaps, at(3))).toEqual([3, 4, 69]);
    expect(reached(bitmaps, at(2))).toEqual([2, 3, 69]);
    expect(reached(bitmaps, at(1))).toEqual([1, 2]);
    expect(bitsOf(bitmaps.type("commit"))).toHaveLength(OBJECTS);
    expect(bitsOf(bitmaps.type("blob"))).toEqual([]);
  });

  it("may have path sums, and pseudo-merges, which are passed over", () => {
    const entries = [{ position: at(3), bitmap: ewah([3]) }];
    const sums = new Uint8Array(OBJECTS * 4).fill(9);
    const merges = new Uint8Array(48);
    new DataView(merges.buffer).setUint32(44, 48);
    const tail = new Uint8Array([...merges, ...sums]);
    expect(reached(open(index, bitmapFile(index, entries, { flags: 0x25, tail })), at(3))).toEqual([3]);
    expect(() => open(index, bitmapFile(index, entries, { flags: 0x25, tail: sums }))).toThrow(PackError);
  });

  it("have to be whole", () => {
    const entries = [
      { position: at(3), bitmap: ewah([3, 4, 69]) },
      { position: at(2), bitmap: ewah([2, 4]), distance: 1, base: 0 },
    ];
    for (const table of [false, true]) {
      const bytes = bitmapFile(index, entries, { table });
      for (let length = 0; length < bytes.length; length++)
        expect(() => open(index, bytes.subarray(0, length)), `${length} bytes`).toThrow(PackError);
      for (let bit = 0; bit < bytes.length * 8; bit += 3) {
        const changed = bytes.slice();
        changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7));
        expect(() => open(index, changed), `bit ${bit}`).toThrow(PackError);
      }
    }
  });

  const entry = { position: at(3), bitmap: ewah([3]) };
  it.each([
    ["of another version", [entry], { version: 2 }],
    ["with flags that are not known", [entry], { flags: 0x41 }],
    ["without a full closure", [entry], { flags: 0 }],
    ["of another pack", [entry], { packChecksum: new Uint8Array(index.packChecksum.length) }],
    ["with fewer entries than they say", [entry], { count: 2 }],
    ["with very many entries, they say", [entry], { count: 2 ** 32 - 1 }],
    ["with very many rows, they say", [entry], { count: 2 ** 32 - 1, table: true }],
    ["with a commit twice", [entry, entry], {}],
    ["with a commit that is not in the pack", [{ ...entry, position: OBJECTS }], {}],
    ["with a difference to none", [{ ...entry, distance: 1 }], {}],
    ["with a row that is a difference to none", [{ ...entry, base: 1 }], { table: true }],
    ["with a row that leads outside", [{ ...entry, start: 2 ** 40 }], { table: true }],
    ["with a row that leads into the header", [{ ...entry, start: 4 }], { table: true }],
    ["without room for path sums", [entry], { flags: 5 }],
    ["with a bitmap that is longer than the file", [{ ...entry, bitmap: new Uint8Array(8).fill(0xff) }], {}],
  ])("are refused %s", (_, entries, options) => {
    const bytes = bitmapFile(index, entries, options);
    expect(() => open(index, bytes)).toThrow(expect.objectContaining({ code: "pack/bad-index" }));
  });

  it.each([
    ["lacks its own commit", [{ position: at(3), bitmap: ewah([2]) }], {}],
    ["has bits for more objects than there are", [{ position: at(3), bitmap: ewah([3, OBJECTS]) }], {}],
    ["has words for more objects", [{ position: at(3), bitmap: ewahOf([runWord(false, 9, 0)]) }], {}],
    ["is a difference to itself", [{ position: at(3), bitmap: ewah([3]), base: 0 }], { table: true }],
    [
      "is a difference to what is one to it",
      [
        { position: at(3), bitmap: ewah([3]), base: 1 },
        { position: at(2), bitmap: ewah([2]), base: 0 },
      ],
      { table: true },
    ],
  ])("are refused when asked for a bitmap that %s", (_, entries, options) => {
    const bitmaps = open(index, bitmapFile(index, entries, options));
    expect(() => reached(bitmaps, at(3))).toThrow(expect.objectContaining({ code: "pack/bad-index" }));
  });
});
