import { objectIdToBytes } from "@x/objects";
import { describe, expect, it } from "vitest";
import { enumerateObjects, type ObjectTable, ObjectTable as Table } from "../src/index.ts";
import { blob, commit, tag, tree } from "./memory-history.ts";
import { idOf, looseObjects, looseTable, type MemoryObject, packedWhole } from "./memory-table.ts";
import { finish } from "./open-table.ts";
import { bytesOf } from "./pack-builder.ts";

function found(
  table: ObjectTable,
  wants: readonly MemoryObject[],
  haves: readonly MemoryObject[] = [],
  objects: readonly MemoryObject[] = [],
  allowMissing = false,
): MemoryObject[] {
  const numbers = (list: readonly MemoryObject[]) => list.map((object) => table.findId(idOf(object)));
  const selection = finish(
    enumerateObjects(table, { wants: numbers(wants), haves: numbers(haves), allowMissing }),
  );
  const selected = objects.filter((object) => {
    const number = table.findId(idOf(object));
    return number >= 0 && selection.isSelected(number);
  });
  expect(selection.count).toBe(selected.length);
  return selected;
}

const [one, two, three] = [blob("one"), blob("two"), blob("three")];
const inner = tree(["one", one], ["two", two]);
const root = tree(["dir", inner], ["three", three]);
const first = commit(root);
const second = commit(tree(["dir", inner]), [first], 2000);
const all = [one, two, three, inner, root, first, tree(["dir", inner]), second];

describe("enumerateObjects", () => {
  it("finds what is reached and not had", () => {
    const table = looseTable(all);
    expect(found(table, [second], [], all)).toEqual(all);
    expect(found(table, [second], [first], all)).toEqual([tree(["dir", inner]), second]);
    expect(found(table, [second], [second], all)).toEqual([]);
    expect(found(table, [inner], [], all)).toEqual([one, two, inner]);
    expect(found(table, [second], [inner, three], all)).toEqual([root, first, tree(["dir", inner]), second]);
    expect(found(table, [], [second], all)).toEqual([]);
  });

  it("can do without the tree that has no entries", () => {
    const empty = tree();
    const inside = tree(["dir", empty], ["one", one]);
    const commits = [commit(empty), commit(inside)];
    const objects = [one, inside, ...commits];
    expect(found(looseTable(objects), commits, [], objects)).toEqual(objects);
    expect(found(looseTable([...objects, empty]), commits, [], [...objects, empty])).toEqual([
      ...objects,
      empty,
    ]);
  });

  it("counts an object of several packs once", () => {
    const packs = [packedWhole([one, two, inner]), packedWhole([...all]), packedWhole([first, two])];
    const table = new Table("sha1", packs, looseObjects([three, one]));
    expect(found(table, [second], [], all)).toEqual(all);
  });

  it.each([
    ["a blob", one],
    ["a tree", inner],
    ["a root", root],
    ["a parent", first],
  ])("misses %s", (_, absent) => {
    const table = looseTable(all.filter((object) => object !== absent));
    expect(() => found(table, [second], [], all)).toThrow(
      expect.objectContaining({ code: "pack/missing-object" }),
    );
  });

  it("leaves out what trees name and is not stored, where that is allowed", () => {
    const without = (...absent: MemoryObject[]) => all.filter((object) => !absent.includes(object));
    const rest = (absent: MemoryObject[], found: MemoryObject[]) => ({ absent, found });
    for (const { absent, found: left } of [
      rest([one], without(one)),
      rest([three, two], without(three, two)),
      rest([inner], without(inner, one, two)),
    ])
      expect(found(looseTable(without(...absent)), [second], [], all, true)).toEqual(left);
    for (const absent of [root, first])
      expect(() => found(looseTable(without(absent)), [second], [], all, true)).toThrow(
        expect.objectContaining({ code: "pack/missing-object" }),
      );
  });

  it("misses nothing below what the other side has", () => {
    const third = commit(tree(["dir", inner], ["new", three]), [second], 3000);
    const stored = [third, tree(["dir", inner], ["new", three]), three, second, tree(["dir", inner])];
    expect(found(looseTable(stored), [third], [second], stored)).toEqual(stored.slice(0, 3));
  });

  it("follows no submodule", () => {
    const linked = tree(["sub", idOf(blob("elsewhere")), 0o160000], ["one", one]);
    const objects = [one, linked];
    expect(found(looseTable(objects), [linked], [], objects)).toEqual(objects);
  });

  it("looks into a tree that something else names as a file", () => {
    // Named as a file first, its own entries would never be looked for.
    const hollow = tree(["gone", blob("gone")]);
    const disguise = tree(["a", hollow, 0o100644]);
    const honest = tree(["z", hollow]);
    const top = tree(["a", disguise], ["b", honest]);
    const bad = [
      [top, disguise, honest, hollow],
      [tree(["a", hollow, 0o100644], ["b", hollow, 0o40000]), hollow],
    ] as const;
    for (const objects of bad)
      expect(() => found(looseTable(objects), [objects[0]], [], objects)).toThrow(
        expect.objectContaining({ code: expect.stringMatching(/^pack\/(malformed|missing-object)$/) }),
      );
    // The same with what the other side has.
    const old = commit(disguise);
    const young = commit(honest, [old], 2000);
    const objects = [hollow, disguise, honest, old, young];
    expect(() => found(looseTable(objects), [young], [old], objects)).toThrow(
      expect.objectContaining({ code: "pack/malformed" }),
    );
    const asRoot = commit(hollow, [old], 2000);
    expect(() => found(looseTable([hollow, disguise, old, asRoot]), [asRoot], [old], [])).toThrow(
      expect.objectContaining({ code: "pack/malformed" }),
    );
  });

  it("refuses a blob or a commit in a tree's place", () => {
    for (const object of [one, first]) {
      const wrong = tree(["dir", object, 0o40000]);
      expect(() => found(looseTable([...all, wrong]), [wrong])).toThrow(
        expect.objectContaining({ code: "pack/malformed" }),
      );
    }
    expect(() => found(looseTable([one, commit(one)]), [commit(one)])).toThrow(
      expect.objectContaining({ code: "pack/malformed" }),
    );
  });

  it("bears tags of the other side whose ends are not stored", () => {
    const dangling = tag(blob("gone"));
    expect(found(looseTable([...all, dangling]), [second], [dangling, first], all)).toEqual([
      tree(["dir", inner]),
      second,
    ]);
    const malformed: MemoryObject = { type: "tag", data: bytesOf("object nothing\n") };
    expect(found(looseTable([...all, malformed]), [second], [malformed], all)).toEqual(all);
    const wanted = () => found(looseTable([...all, dangling]), [dangling]);
    expect(wanted).toThrow(expect.objectContaining({ code: "pack/missing-object" }));
  });

  it("breathes while a great many haves are marked", () => {
    const commits = Array.from({ length: 2000 }, (_, i) => commit(root, [], i));
    const table = looseTable([...all, ...commits]);
    const haves = commits.map((object) => table.findId(idOf(object)));
    let breaths = 0;
    for (const _ of enumerateObjects(table, { wants: [], haves })) breaths++;
    expect(breaths).toBeGreaterThan(2);
  });

  it("survives history that is 20,000 commits deep", () => {
    const commits: MemoryObject[] = [];
    for (let i = 0; i < 20_000; i++)
      commits.push(commit(root, i === 0 ? [] : [commits[i - 1] as MemoryObject], i));
    const table = looseTable([...all, ...commits]);
    const tip = commits.at(-1) as MemoryObject;
    expect(finish(enumerateObjects(table, { wants: [table.findId(idOf(tip))], haves: [] })).count).toBe(
      20_005,
    );
    expect(objectIdToBytes(idOf(tip))).toHaveLength(20);
  });
});
