import { describe, expect, it } from "vitest";
import { CommitTable, type ObjectTable, ReachableObjects, ObjectTable as Table } from "../src/index.ts";
import { blob, commit, tag, tree, treeBomb } from "./memory-history.ts";
import { idOf, looseObjects, type MemoryObject } from "./memory-table.ts";
import { finish } from "./open-table.ts";
import { bytesOf } from "./pack-builder.ts";

/** A table that notes what is read. */
function watched(objects: readonly MemoryObject[]): { readonly table: ObjectTable; readonly read: string[] } {
  const loose = looseObjects(objects);
  const read: string[] = [];
  const watching = {
    ...loose,
    read: (id: Parameters<typeof loose.read>[0]) => {
      read.push(id);
      return loose.read(id);
    },
  };
  return { table: new Table("sha1", [], watching), read };
}

function lost(table: ObjectTable, sought: readonly MemoryObject[], tips: readonly MemoryObject[]): string[] {
  const numbers = (objects: readonly MemoryObject[]) => objects.map((object) => table.findId(idOf(object)));
  const left = finish(
    new ReachableObjects(new CommitTable(table), numbers(tips)).unreachable(numbers(sought)),
  );
  return [...left].map((number) => table.id(number));
}

const files = Array.from({ length: 200 }, (_, i) => blob(`file ${i}`));
const roots = files.map((file) => tree(["dir", tree(["file", file])]));
const history: MemoryObject[] = [];
for (const [i, root] of roots.entries()) history.push(commit(root, history.slice(-1), 1000 + i));
const stored = [...files, ...files.map((file) => tree(["file", file])), ...roots, ...history];
const tip = history.at(-1) as MemoryObject;

describe("ReachableObjects", () => {
  it("looks no further than need be", () => {
    const { table, read } = watched(stored);
    expect(lost(table, [files[199] as MemoryObject, roots[198] as MemoryObject], [tip])).toEqual([]);
    expect(read.length).toBeLessThan(80);
  });

  it("reads nothing twice, however often it is asked, and by however many in turn", () => {
    const { table, read } = watched(stored);
    const number = (object: MemoryObject) => table.findId(idOf(object));
    const reachable = new ReachableObjects(new CommitTable(table), [number(tip)]);
    const walks = files.slice(0, 3).map((file) => reachable.unreachable([number(file)]));
    const results = walks.map(() => -1);
    while (results.includes(-1))
      for (const [i, walk] of walks.entries()) {
        const step = walk.next();
        if (step.done && step.value !== undefined) results[i] = step.value.size;
      }
    expect(results).toEqual([0, 0, 0]);
    const before = read.length;
    expect(new Set(read).size).toBe(before);
    expect(finish(reachable.unreachable(stored.map(number))).size).toBe(0);
    expect(new Set(read).size).toBe(read.length);
  });

  it("finds the oldest as well, and says what is not there to be found", () => {
    const { table } = watched([...stored, blob("loner")]);
    expect(lost(table, [files[0] as MemoryObject, history[0] as MemoryObject], [tip])).toEqual([]);
    expect(lost(table, [blob("loner")], [tip])).toEqual([idOf(blob("loner"))]);
    expect(lost(table, [tip], [])).toEqual([idOf(tip)]);
  });

  it("goes through tags, to whatever they point at", () => {
    const inner = tag(roots[3] as MemoryObject);
    const outer = tag(inner);
    const { table } = watched([...stored, inner, outer]);
    expect(lost(table, [inner, outer, files[3] as MemoryObject], [outer])).toEqual([]);
    expect(lost(table, [outer, files[3] as MemoryObject], [inner])).toEqual([idOf(outer)]);
  });

  it("does not mind what is missing or broken at other tips", () => {
    const hollow = commit(tree(["gone", blob("gone")], ["file", files[7] as MemoryObject]));
    const rootless = commit(tree(["nothing", blob("nothing")]), [hollow], 3000);
    const broken: MemoryObject = { type: "tag", data: bytesOf("object none\n") };
    const dangling = tag(blob("dangling"));
    const objects = [...stored, hollow, tree(["gone", blob("gone")], ["file", files[7] as MemoryObject])];
    const { table } = watched([...objects, rootless, broken, dangling]);
    expect(lost(table, [files[7] as MemoryObject], [broken, dangling, rootless])).toEqual([]);
  });

  it("looks into a tree that something else names as a file", () => {
    const honest = tree(["file", files[5] as MemoryObject]);
    const top = tree(["a", honest, 0o100644], ["b", honest]);
    const { table } = watched([top, honest, files[5] as MemoryObject]);
    expect(lost(table, [honest, files[5] as MemoryObject], [top])).toEqual([]);
  });

  it("is not held up by a tree bomb", () => {
    const bomb = treeBomb();
    const { table } = watched([...bomb.objects, blob("loner")]);
    expect(lost(table, [blob("loner")], [bomb.tip])).toEqual([idOf(blob("loner"))]);
  });
});
