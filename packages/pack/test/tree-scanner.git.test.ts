import { forEachTreeEntry, type ObjectFormat, objectIdFromBytes } from "@x/objects";
import { describe, expect, it } from "vitest";
import type { ObjectTable } from "../src/index.ts";
import { TreeScanner } from "../src/walk/tree-scanner.ts";
import { openTable } from "./open-table.ts";
import { Random } from "./random.ts";
import { randomHistory } from "./random-history.ts";

function treesOf(table: ObjectTable): number[] {
  return Array.from({ length: table.count }, (_, number) => number).filter(
    (number) => table.header(number).type === "tree",
  );
}

/** After each scan, every entry of the tree has been shown once at least, by this scan or by an earlier one. */
function expectAllShown(table: ObjectTable, trees: readonly number[], remembered: number): number {
  const scanner = new TreeScanner(table, remembered);
  const seen = new Set<string>();
  let shown = 0;
  const key = (data: Uint8Array, mode: number, nameAt: number, idAt: number) =>
    `${mode & 0o170000} ${String.fromCharCode(...data.subarray(nameAt, idAt - 1))} ${objectIdFromBytes(data, table.format, idAt)}`;
  for (const tree of trees) {
    const plain: string[] = [];
    const data = table.read(tree).data.slice();
    forEachTreeEntry(data, table.format, (mode, nameAt, _, idAt) =>
      plain.push(key(data, mode, nameAt, idAt)),
    );
    const entries = new Set(plain);
    scanner.scan(tree, (bytes, type, nameAt, idAt) => {
      const entry = key(bytes, type, nameAt, idAt);
      expect(entries.has(entry), "an entry was shown that is none").toBe(true);
      seen.add(entry);
      shown++;
    });
    for (const entry of plain) expect(seen.has(entry), `tree ${table.id(tree)}: ${entry}`).toBe(true);
  }
  return shown;
}

describe.each<ObjectFormat>(["sha1", "sha256"])("trees as they lie, %s", (format) => {
  it.each([
    [50, 31],
    [250, 32],
    [5, 33],
  ])("all entries are shown, depth %i", async (depth, seed) => {
    const history = await randomHistory({ format, seed, commits: 160 });
    await history.git("repack", "-adfq", `--depth=${depth}`, "--window=50");
    const table = openTable(history.directory, format, { cacheBytes: 200_000 });
    const trees = treesOf(table);
    const inPlace = trees.toSorted((a, b) => table.locality(a) - table.locality(b));
    const entries = trees.reduce((sum, tree) => {
      let count = 0;
      forEachTreeEntry(table.read(tree).data, format, () => count++);
      return sum + count;
    }, 0);
    // Where a tree comes after its base, most of it is passed over.
    expect(expectAllShown(table, inPlace, 1 << 20)).toBeLessThan(entries * 0.8);
    expectAllShown(table, inPlace.toReversed(), 1 << 20);
    const random = new Random(seed);
    for (const remembered of [1, 7, 64, 300, 1000]) {
      const mixed = Array.from({ length: trees.length }, () => random.pick(trees));
      expectAllShown(table, mixed, remembered);
    }
  });
});
