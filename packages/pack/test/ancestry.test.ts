import { describe, expect, it } from "vitest";
import { allReach, CommitTable, unreachableCommits } from "../src/index.ts";
import { idOf, looseTable, type MemoryObject } from "./memory-table.ts";
import { finish } from "./open-table.ts";
import { bytesOf } from "./pack-builder.ts";

const commit = (parents: readonly MemoryObject[], time: number): MemoryObject => ({
  type: "commit",
  data: bytesOf(
    `tree ${"1".repeat(40)}\n${parents.map((parent) => `parent ${idOf(parent)}\n`).join("")}author A <a> ${time} +0\ncommitter C <c> ${time} +0\n\nx\n`,
  ),
});

describe("ancestry", () => {
  it("takes a commit with 3,000 parents in its stride", () => {
    const parents = Array.from({ length: 3000 }, (_, i) => commit([], 10 + i));
    const merge = commit(parents, 10_000);
    const lonely = commit([], 5);
    const objects = looseTable([...parents, merge, lonely]);
    const number = (object: MemoryObject) => objects.findId(idOf(object));
    const table = new CommitTable(objects);
    expect(finish(allReach(table, [number(merge)], new Set([number(lonely)])))).toBe(false);
    expect(finish(allReach(table, [number(merge)], new Set([number(parents[2999] as MemoryObject)])))).toBe(
      true,
    );
    // Each parent is looked at once: with a step for each, not for each pair.
    let breaths = 0;
    for (const _ of allReach(table, [number(merge)], new Set([number(lonely)]))) breaths++;
    expect(breaths).toBeLessThan(30);
    expect(finish(unreachableCommits(table, new Set([number(lonely)]), [number(merge)]))).toEqual(
      new Set([number(lonely)]),
    );
  });

  it("ends where parents are not stored", () => {
    const gone = commit([], 1);
    const young = commit([gone], 2);
    const objects = looseTable([young]);
    const number = objects.findId(idOf(young));
    const table = new CommitTable(objects);
    expect(finish(allReach(table, [number], new Set([number])))).toBe(true);
    expect(finish(allReach(table, [number], new Set()))).toBe(false);
    expect(finish(allReach(table, [], new Set()))).toBe(true);
    expect(finish(unreachableCommits(table, new Set([number]), [number]))).toEqual(new Set());
  });

  it("goes 50,000 commits deep", () => {
    const commits: MemoryObject[] = [];
    for (let i = 0; i < 50_000; i++) commits.push(commit(i === 0 ? [] : [commits[i - 1] as MemoryObject], i));
    const objects = looseTable(commits);
    const table = new CommitTable(objects);
    const [root, tip] = [commits[0], commits.at(-1)].map((object) =>
      objects.findId(idOf(object as MemoryObject)),
    );
    expect(finish(allReach(table, [tip as number], new Set([root as number])))).toBe(true);
    expect(finish(unreachableCommits(table, new Set([root as number]), [tip as number])).size).toBe(0);
  });
});
