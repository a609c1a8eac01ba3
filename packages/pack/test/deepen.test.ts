import { describe, expect, it } from "vitest";
import { CommitTable, findDepths } from "../src/index.ts";
import { idOf, looseTable, type MemoryObject } from "./memory-table.ts";
import { finish } from "./open-table.ts";
import { bytesOf } from "./pack-builder.ts";

const commit = (...parents: readonly MemoryObject[]): MemoryObject => ({
  type: "commit",
  data: bytesOf(
    `tree ${"1".repeat(40)}\n${parents.map((parent) => `parent ${idOf(parent)}\n`).join("")}author A <a> ${parents.length} +0\ncommitter C <c> ${++made} +0\n\nx\n`,
  ),
});
let made = 0;

describe("deepening from the client's boundary", () => {
  const one = commit();
  const two = commit(one);
  const three = commit(two);
  const four = commit(three);
  const five = commit(four);
  const merge = commit(three, five);
  const all = [one, two, three, four, five, merge];
  const table = looseTable(all);

  function deepen(
    depth: number,
    ends: readonly MemoryObject[],
    wants: readonly MemoryObject[],
    tips: readonly MemoryObject[] = [],
  ) {
    const numbers = (objects: readonly MemoryObject[]) => objects.map((object) => table.findId(idOf(object)));
    const named = (commits: ReadonlySet<number>) =>
      all
        .filter((object) => commits.has(table.findId(idOf(object))))
        .map((object) => all.indexOf(object) + 1);
    const depths = finish(
      findDepths(
        new CommitTable(table),
        { wants: numbers(wants), tips: numbers(tips), clientShallow: numbers(ends), depth, relative: true },
        new Set(),
      ),
    );
    return { border: named(depths.border), inner: named(depths.inner) };
  }

  it("does not end one side of a merge where the other side's history already is", () => {
    // A clone of depth 3 has the merge, 3 and 5, and ends at 2 and 4. One step from 4 leads to 3, which has its parent.
    expect(deepen(1, [two, four], [merge])).toEqual({ border: [1], inner: [2, 3, 4] });
  });

  it("ends where only another ref leads past it: the client need not have that", () => {
    expect(deepen(1, [four], [five], [merge])).toEqual({ border: [3], inner: [4] });
  });

  it("counts from a boundary that something else than the wants leads to", () => {
    expect(deepen(1, [four], [two], [five])).toEqual({ border: [3], inner: [4] });
    expect(deepen(1, [four], [two])).toEqual({ border: [], inner: [] });
  });
});

describe("deepening to refs that lead to no commit", () => {
  it("gives no parents to a boundary that nothing wanted leads to", () => {
    const parent = commit();
    const hidden = commit(parent);
    const old = commit();
    const tip = commit(old);
    const table = looseTable([parent, hidden, old, tip]);
    const number = (object: MemoryObject) => table.findId(idOf(object));
    const { inner, border } = finish(
      findDepths(
        new CommitTable(table),
        { wants: [number(tip)], clientShallow: [number(hidden)], not: [] },
        new Set(),
      ),
    );
    expect([[...inner].sort(), [...border]]).toEqual([[number(old), number(tip)].sort(), []]);
  });
});
