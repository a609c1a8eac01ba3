import type { ObjectFormat } from "@x/objects";
import { beforeAll, describe, expect, it } from "vitest";
import { CommitTable, type ObjectTable, ReachableObjects } from "../src/index.ts";
import { finish, numberOf, openTable } from "./open-table.ts";
import { Random } from "./random.ts";
import { type History, randomHistory } from "./random-history.ts";

describe.each([
  { format: "sha1" as ObjectFormat, skewed: false },
  { format: "sha256" as ObjectFormat, skewed: true },
])("objects of any type that tips reach, $format, clocks skewed: $skewed", ({ format, skewed }) => {
  let history: History;
  let table: ObjectTable;
  let all: string[];

  beforeAll(async () => {
    history = await randomHistory({ format, skewed, seed: 23, commits: 90 });
    await history.git("repack", "-adfq", "--depth=40", "--keep-unreachable");
    table = openTable(history.directory, format);
    const list = await history.git("cat-file", "--batch-check=%(objectname)", "--batch-all-objects");
    all = list.split("\n");
  });

  it("are those that git lists", async () => {
    const random = new Random(24);
    const counts = { found: 0, lost: 0 };
    for (let round = 0; round < 80; round++) {
      const sought = random.some(all, 1 + random.below(40));
      const tips = random.some(random.once(4) ? all : [...history.commits, ...history.tags], random.below(4));
      const list =
        tips.length === 0 ? "" : await history.git("rev-list", "--objects", "--no-object-names", ...tips);
      const reached = new Set(list.split("\n"));
      const reachable = new ReachableObjects(
        new CommitTable(table),
        tips.map((id) => numberOf(table, id)),
      );
      const walk = reachable.unreachable(sought.map((id) => numberOf(table, id)));
      const lost = [...finish(walk)].map((number) => table.id(number));
      expect(lost.sort()).toEqual(sought.filter((id) => !reached.has(id)).sort());
      counts.lost += lost.length;
      counts.found += sought.length - lost.length;
    }
    expect(Math.min(counts.lost, counts.found)).toBeGreaterThan(200);
  });

  it("are the same below a shallow boundary", async () => {
    const [old, young] = [history.commits[30] as string, history.commits[80] as string];
    const boundary = new Set(history.commits.map((id) => numberOf(table, id)));
    const sought = new Set([numberOf(table, old)]);
    const reachable = new ReachableObjects(new CommitTable(table, boundary), [numberOf(table, young)]);
    expect(finish(reachable.unreachable(sought))).toEqual(sought);
  });
});
