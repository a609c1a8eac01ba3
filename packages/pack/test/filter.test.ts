import { type ObjectFilter, type ObjectType, objectIdToBytes } from "@x/objects";
import { createNodeHasher } from "@x/objects/node";
import { describe, expect, it } from "vitest";
import { memorySource } from "../src/format/byte-source.ts";
import { enumerateObjects, ObjectTable } from "../src/index.ts";
import { parseSparsePatterns } from "../src/walk/sparse-patterns.ts";
import { SparsePlaces } from "../src/walk/sparse-places.ts";
import { bitmapFile, ewah } from "./bitmap-builder.ts";
import { blob, commit, tag, tree, treeBomb } from "./memory-history.ts";
import { idOf, looseTable, type MemoryObject, packed } from "./memory-table.ts";
import { finish, NOTHING_LOOSE } from "./open-table.ts";
import { bytesOf, whole } from "./pack-builder.ts";

function found(
  table: ObjectTable,
  filter: ObjectFilter,
  wants: readonly MemoryObject[],
  objects: readonly MemoryObject[],
  maxTreeVisits?: number,
): MemoryObject[] {
  const numbers = wants.map((object) => table.findId(idOf(object)));
  const request = { wants: numbers, haves: [], filter, maxTreeVisits };
  const selection = finish(enumerateObjects(table, request));
  const selected = objects.filter((object) => selection.isSelected(table.findId(idOf(object))));
  expect(selection.count).toBe(selected.length);
  return selected;
}

const [short, long] = [blob("short"), blob("a longer one")];
const deep = tree(["short", short]);
const inner = tree(["deep", deep], ["long", long]);
const root = tree(["dir", inner], ["long", long]);
const tip = commit(root);
const mark = tag(tip);
const all = [short, long, deep, inner, root, tip, mark];

const limit = (limitBytes: number): ObjectFilter => ({ kind: "blob-limit", limitBytes });
const depth = (steps: number): ObjectFilter => ({ kind: "tree-depth", depth: steps });
const type = (name: ObjectType): ObjectFilter => ({ kind: "object-type", type: name });
const sparse = (file: MemoryObject): ObjectFilter => ({ kind: "sparse", patterns: idOf(file) });
const combine = (...filters: readonly ObjectFilter[]): ObjectFilter => ({ kind: "combine", filters });
const none: ObjectFilter = { kind: "blob-none" };

describe("a filter", () => {
  it.each<readonly [string, ObjectFilter, readonly MemoryObject[]]>([
    ["blob:none", none, [deep, inner, root, tip, mark]],
    ["blob:limit=0", limit(0), [deep, inner, root, tip, mark]],
    ["blob:limit=5", limit(5), [deep, inner, root, tip, mark]],
    ["blob:limit=6", limit(6), [short, deep, inner, root, tip, mark]],
    ["tree:0", depth(0), [tip, mark]],
    ["tree:1", depth(1), [root, tip, mark]],
    ["tree:2", depth(2), [long, inner, root, tip, mark]],
    ["tree:3", depth(3), [long, deep, inner, root, tip, mark]],
    ["tree:4", depth(4), all],
    ["object:type=tree", type("tree"), [deep, inner, root, tip, mark]],
    ["object:type=blob", type("blob"), [short, long, tip, mark]],
    ["object:type=commit", type("commit"), [tip, mark]],
    ["combine:tree:2+blob:none", combine(depth(2), none), [inner, root, tip, mark]],
    ["combine of types", combine(type("tree"), type("blob")), [tip, mark]],
    ["combine in combine", combine(combine(limit(6), depth(9)), depth(3)), [deep, inner, root, tip, mark]],
    ["nothing combined", combine(), all],
  ])("%s", (_, filter, expected) => {
    expect(found(looseTable(all), filter, [mark], all)).toEqual(expected);
  });

  it("does not keep back what is wanted by its id, nor count steps from a root to it", () => {
    const table = looseTable(all);
    expect(found(table, none, [short, tip], all)).toEqual([short, deep, inner, root, tip]);
    expect(found(table, limit(1), [short], all)).toEqual([short]);
    expect(found(table, depth(0), [inner], all)).toEqual([inner]);
    expect(found(table, depth(1), [inner], all)).toEqual([long, deep, inner]);
    expect(found(table, type("tag"), [long, deep], all)).toEqual([long, deep]);
    expect(found(table, none, [deep], all)).toEqual([deep]);
  });

  it("asks for nothing that it leaves out", () => {
    const lacking = (...absent: readonly MemoryObject[]) =>
      looseTable(all.filter((object) => !absent.includes(object)));
    expect(found(lacking(short, long), none, [tip], [deep, inner, root, tip])).toHaveLength(4);
    expect(found(lacking(root), depth(0), [tip], [tip])).toEqual([tip]);
    expect(found(lacking(inner, long), depth(1), [tip], [root, tip])).toEqual([root, tip]);
    expect(found(lacking(root), type("commit"), [tip], [tip])).toEqual([tip]);
    const file = blob("/nothing\n");
    const table = looseTable([deep, inner, root, tip, file]);
    expect(found(table, sparse(file), [tip], [deep, inner, root, tip])).toHaveLength(4);
    const missing = expect.objectContaining({ code: "pack/missing-object" });
    expect(() => found(lacking(long), limit(99), [tip], [])).toThrow(missing);
    expect(() => found(lacking(root), type("blob"), [tip], [])).toThrow(missing);
  });

  it("says in git's words what is wrong with sparse patterns", () => {
    const table = looseTable(all);
    const absent = blob("absent");
    expect(() => found(table, sparse(absent), [tip], [])).toThrow(
      expect.objectContaining({
        code: "pack/missing-object",
        message: `unable to access sparse blob in '${idOf(absent)}'`,
      }),
    );
    expect(() => found(table, combine(none, sparse(tip)), [tip], [])).toThrow(
      expect.objectContaining({ message: `unable to parse sparse filter data in ${idOf(tip)}` }),
    );
    const file = blob("#".repeat(1024 * 1024 + 1));
    expect(() => found(looseTable([...all, file]), sparse(file), [tip], [])).toThrow(
      expect.objectContaining({
        code: "pack/limit-exceeded",
        message: expect.stringContaining("maxSparsePatternBytes"),
      }),
    );
  });

  it("tells no more places apart than maxSparsePlaces allows", () => {
    const lists = [parseSparsePatterns(bytesOf("/a/b/c/\n/d/*/e/\n"))];
    const names = ["a", "b", "d", "x"].map(bytesOf);
    const walk = (places: SparsePlaces) => {
      for (const one of names)
        for (const two of names) places.below(places.below(places.root, one, 0, 1), two, 0, 1);
    };
    walk(new SparsePlaces(lists));
    expect(() => walk(new SparsePlaces(lists, 12))).toThrow(
      expect.objectContaining({
        code: "pack/limit-exceeded",
        message: expect.stringContaining("maxSparsePlaces allows (12)"),
      }),
    );
  });

  it("looks at a tree under each path that sparse patterns tell apart", () => {
    const same = tree(["x", short], ["y", long]);
    const top = tree(["a", same], ["b", same], ["c", tree(["b", same])]);
    const file = blob("/b/x\n/c/b/\n!*y\n");
    const objects = [short, long, same, tree(["b", same]), top, commit(top), file];
    expect(found(looseTable(objects), sparse(file), [commit(top)], objects)).toEqual(
      objects.filter((object) => object !== long && object !== file),
    );
  });
});

describe("a filter where there are bitmaps", () => {
  const unreached = blob("reached by the bitmap alone");
  const onBlob = tag(long);
  const stored = [tip, root, inner, deep, short, long, unreached, onBlob];

  /** In the order of the pack. Of what the tip reaches the bitmap says more than is true, to show that it was asked. */
  function bitmapped(): ObjectTable {
    const entries = stored.map((object) => ({
      id: objectIdToBytes(idOf(object)),
      bytes: whole(object.type, object.data),
    }));
    const plain = packed(entries);
    const bits = (type: ObjectType) =>
      ewah(stored.flatMap((object, bit) => (object.type === type ? [bit] : [])));
    const bytes = bitmapFile(
      plain.index,
      [{ position: plain.index.order[0] as number, bitmap: ewah([0, 1, 2, 3, 4, 5, 6]) }],
      { types: [bits("commit"), bits("tree"), bits("blob"), bits("tag")] },
    );
    const reader = packed(entries, {
      bitmapFile: {
        open: () => ({ source: memorySource(bytes), name: "bitmap" }),
        createHasher: createNodeHasher,
        warn: (message) => expect.fail(message),
      },
    });
    return new ObjectTable("sha1", [reader], NOTHING_LOOSE);
  }

  it("keeps back no blob that is wanted, or that a wanted tag points at, whatever its size", () => {
    const table = bitmapped();
    const bare = [tip, root, inner, deep];
    expect(found(table, limit(99), [tip], stored)).toEqual([...bare, short, long, unreached]);
    expect(found(table, limit(6), [tip], stored)).toEqual([...bare, short]);
    expect(found(table, limit(6), [tip, onBlob], stored)).toEqual([...bare, short, long, onBlob]);
    expect(found(table, limit(6), [tip, long], stored)).toEqual([...bare, short, long]);
    expect(found(table, none, [tip, onBlob], stored)).toEqual([...bare, long, onBlob]);
  });
});

describe("a tree bomb", () => {
  const { tip: bomb, objects } = treeBomb();
  const paths = blob("/f0/**/f1/f2\n!**/f3/f4/**\nf*/**/f5/f6\n");
  const stored = [...objects, paths];

  it.each<readonly [string, ObjectFilter, number]>([
    ["combine:tree:5+blob:none", combine(depth(5), none), 6],
    ["combine:tree:5+sparse", combine(depth(5), sparse(paths)), 6],
    ["blob:none", none, 11],
    ["sparse", sparse(paths), 12],
  ])("is walked once for each place that %s tells apart", (_, filter, count) => {
    expect(found(looseTable(stored), filter, [bomb], objects, 2000)).toHaveLength(count);
  });

  it("ends with the tree visits that it may cost", () => {
    expect(() => found(looseTable(stored), none, [bomb], objects, 9)).toThrow(
      expect.objectContaining({
        code: "pack/limit-exceeded",
        message: expect.stringContaining("maxTreeVisits (9)"),
      }),
    );
    expect(found(looseTable(stored), none, [bomb], objects, 10)).toHaveLength(11);
  });
});
