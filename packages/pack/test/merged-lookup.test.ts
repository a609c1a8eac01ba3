import { describe, expect, it } from "vitest";
import { PackIndex } from "../src/index.ts";
import { MergedLookup } from "../src/read/merged-lookup.ts";
import { indexSaying } from "./memory-table.ts";
import { Random } from "./random.ts";

const random = new Random(4);

/** Ids that differ late, so that they meet in the table. */
function id(value: number): Uint8Array {
  const bytes = new Uint8Array(20).fill(7);
  bytes[0] = value % 5;
  bytes[18] = value >> 8;
  bytes[19] = value;
  return bytes;
}

function indexOf(values: readonly number[]): PackIndex {
  const pack = new Uint8Array(32);
  const places = values.map((value, i) => ({ id: id(value), offset: 12 + i }));
  return new PackIndex(indexSaying(pack, places), "sha1");
}

describe("MergedLookup", () => {
  it("finds each id where the first index has it, and nothing else", () => {
    for (let round = 0; round < 20; round++) {
      const sets = Array.from({ length: random.below(6) }, () =>
        random.some([...Array(400).keys()], random.below(120)),
      );
      const indexes = sets.map(indexOf);
      const starts = sets.map((_, i) => 1000 + sets.slice(0, i).reduce((sum, set) => sum + set.length, 0));
      const atFirst = random.below(indexes.length + 1);
      const lookup = new MergedLookup(indexes.slice(0, atFirst), 1000);
      for (const index of indexes.slice(atFirst)) lookup.add(index);
      expect(lookup.end).toBe(1000 + sets.reduce((sum, set) => sum + set.length, 0));
      for (let value = 0; value < 420; value++) {
        const first = sets.findIndex((set) => set.includes(value));
        const padded = new Uint8Array(25);
        padded.set(id(value), 3);
        const expected =
          first < 0 ? -1 : (starts[first] as number) + (indexes[first] as PackIndex).find(id(value), 0);
        expect(lookup.find(padded, 3)).toBe(expected);
      }
    }
  });

  it("has nothing when there is none", () => {
    expect(new MergedLookup([], 0).find(id(1), 0)).toBe(-1);
    expect(new MergedLookup([indexOf([]), indexOf([])], 0).find(id(1), 0)).toBe(-1);
  });
});
