import { describe, expect, it } from "vitest";
import { EntryTable } from "../src/take/entry-table.ts";
import { TreeHeights } from "../src/take/tree-heights.ts";

const TREE = 2;
const OFS_DELTA = 6;

/** Trees in rows, each with the rows of its directories and perhaps a base; the least limit that they are within. */
function height(
  trees: readonly { readonly has?: readonly number[]; readonly base?: number }[],
): number | undefined {
  const entries = new EntryTable(20);
  const heights = new TreeHeights();
  for (const [row, { has = [], base }] of trees.entries()) {
    entries.push(row, base === undefined ? TREE : OFS_DELTA, 1, 1);
    if (base !== undefined) entries.bases[row] = base;
    for (const child of has) heights.link(row, child);
  }
  const rowOf = Int32Array.from({ length: 100_000 }, (_, i) => (i < trees.length ? i : -1));
  for (let max = 0; max <= 100_000; max = max < 10 ? max + 1 : max * 2)
    if (heights.isWithin(max, entries, trees.length, rowOf)) return max;
  return undefined;
}

describe("TreeHeights", () => {
  it("finds the longest way down", () => {
    expect(height([])).toBe(0);
    expect(height([{}])).toBe(1);
    expect(height([{ has: [1, 2] }, {}, { has: [3] }, {}])).toBe(3);
    expect(height([{}, { has: [0] }, { has: [1, 0] }, { has: [0, 2] }])).toBe(4);
  });

  it("leaves out what did not come", () => {
    expect(height([{ has: [90_000] }, { has: [0, 90_001] }])).toBe(2);
  });

  it("takes a delta to have what its base has", () => {
    expect(height([{ has: [1] }, { has: [2] }, {}, { base: 0 }, { has: [3] }])).toBe(4);
    // A base may stand behind its delta.
    expect(height([{ base: 1 }, { has: [2] }, {}])).toBe(2);
    expect(height([{ base: 1, has: [3] }, { has: [2] }, {}, { has: [1] }])).toBe(4);
  });

  it("does not go round in circles", () => {
    expect(height([{ has: [1] }, { has: [0] }])).toBeUndefined();
    expect(height([{ has: [0] }])).toBeUndefined();
    expect(height([{ has: [1] }, { base: 0 }])).toBeUndefined();
  });

  it("goes down as far as there are trees, without recursion", () => {
    const deep = Array.from({ length: 50_000 }, (_, i) => (i < 49_999 ? { has: [i + 1] } : {}));
    expect(height(deep)).toBe(81_920);
  });
});
