import { objectIdToBytes } from "@x/objects";
import { describe, expect, it } from "vitest";
import { DeltaBaseCache, ObjectTable } from "../src/index.ts";
import { idOf, looseObjects, type MemoryObject, packedWhole } from "./memory-table.ts";
import { bytesOf, concat } from "./pack-builder.ts";

const blob = (text: string): MemoryObject => ({ type: "blob", data: bytesOf(text) });
const [a, b, c, d, e] = ["a", "b", "c", "d", "e"].map(blob) as [
  MemoryObject,
  MemoryObject,
  MemoryObject,
  MemoryObject,
  MemoryObject,
];

describe("ObjectTable", () => {
  const cache = new DeltaBaseCache(10_000);
  const packs = [
    packedWhole([a, b], { cache }),
    packedWhole([], { cache }),
    packedWhole([b, c, d], { cache }),
  ];
  const make = () => new ObjectTable("sha1", packs, looseObjects([d, e]));

  it("gives each object one number, and reads it", () => {
    const table = make();
    const numbers = [a, b, c, d, e].map((object) => table.findId(idOf(object)));
    expect(new Set(numbers).size).toBe(5);
    for (const [i, object] of [a, b, c, d, e].entries()) {
      const number = numbers[i] as number;
      expect(number).toBeLessThan(table.count);
      expect(table.id(number)).toBe(idOf(object));
      expect(table.read(number)).toMatchObject(object);
      expect(table.header(number)).toEqual({ type: "blob", size: 1 });
      expect(table.find(concat(new Uint8Array(3), objectIdToBytes(idOf(object))), 3)).toBe(number);
      expect(table.packOf(number)).toBe(object === e ? -1 : object === a ? 1 : 0);
    }
    expect(table.looseNumbers()).toEqual([numbers[4]]);
  });

  it("grows by packs that stay, and those that it grew from stay as they are", () => {
    const [x, y, z] = [blob("x"), blob("y"), blob("z")];
    for (const start of [make(), new ObjectTable("sha1", [], looseObjects([a, b, c, d, e]))]) {
      const held = start.withPacks([packedWhole([z, c], { cache })]);
      const first = start.grown([packedWhole([a, x], { cache })]);
      const second = first.grown([packedWhole([y, x], { cache }), packedWhole([], { cache })]);
      const other = start.grown([packedWhole([y], { cache })]);
      expect([first.latePacks, second.packs.length]).toEqual([0, start.packs.length + 3]);
      const all = [a, b, c, d, e, x, y, z];
      for (const [table, extra] of [
        [start, []],
        [held, [z]],
        [first, [x]],
        [second, [x, y]],
        [other, [y]],
      ] as const)
        for (const object of all) {
          const isThere = [a, b, c, d, e, ...extra].includes(object);
          const number = table.findId(idOf(object));
          expect(number >= 0).toBe(isThere);
          if (isThere) expect(table.read(number)).toMatchObject(object);
          if (isThere) expect(table.id(number)).toBe(idOf(object));
        }
      expect(second.findId(idOf(x))).toBe(first.findId(idOf(x)));
    }
  });

  it("keeps its numbers when packs come, and gives theirs to what they bring", () => {
    const table = make();
    const [x, y] = [blob("x"), blob("y")];
    for (const start of [table, new ObjectTable("sha1", [], looseObjects([a, b, c, d, e]))]) {
      const first = start.withPacks([packedWhole([a, x], { cache })]);
      const both = first.withPacks([packedWhole([y], { cache })]);
      const packed = start.packedCount;
      expect([first.packedCount, both.packedCount]).toEqual([packed + 2, packed + 3]);
      expect(both.latePacks).toBe(2);
      for (const object of [a, b, c, d, e, x, y]) {
        const number = both.findId(idOf(object));
        expect(both.id(number)).toBe(idOf(object));
        expect(both.read(number)).toMatchObject(object);
        const before = start.findId(idOf(object));
        if (before >= 0 && before < packed) expect(number).toBe(before);
      }
      expect(both.findId(idOf(blob("z")))).toBe(-1);
      expect(first.findId(idOf(y))).toBe(-1);
    }
  });

  it("does not find what is not there, nor ids of another length", () => {
    const table = make();
    expect(table.findId(idOf(blob("x")))).toBe(-1);
    expect(table.findId("ab" as never)).toBe(-1);
    expect(table.findId(idOf(a, "sha256"))).toBe(-1);
    expect(table.findPacked(objectIdToBytes(idOf(e)), 0)).toBe(-1);
  });

  it("tells of many what is there, and gives no numbers for that", () => {
    const table = make();
    const count = table.count;
    const ids = [a, blob("x"), e, b, e].map((object) => idOf(object));
    const has = [true, false, true, true, true];
    expect(table.hasEach([...ids, "ab" as never, idOf(a, "sha256")])).toEqual([...has, false, false]);
    const loose = {
      ...looseObjects([d, e]),
      hasEach: (asked: readonly string[]) => asked.map((id) => id === ids[2]),
    };
    expect(table.withLoose(loose).hasEach(ids)).toEqual(has);
    expect(table.hasEach([])).toEqual([]);
    expect(table.count).toBe(count);
  });

  it("starts anew with other loose objects", () => {
    const table = make();
    table.findId(idOf(e));
    const later = table.withLoose(looseObjects([]));
    expect(later.findId(idOf(e))).toBe(-1);
    expect(later.findId(idOf(c))).toBe(table.findId(idOf(c)));
    expect(later.count).toBe(table.count - 1);
    expect(table.findId(idOf(e))).toBe(table.count - 1);
  });

  it("says that an object is gone", () => {
    const stored = new Map([[idOf(e), e]]);
    const table = new ObjectTable("sha1", [], {
      has: (id) => stored.has(id),
      read: (id) => stored.get(id),
      header: () => undefined,
    });
    const number = table.findId(idOf(e));
    stored.clear();
    const gone = expect.objectContaining({ code: "pack/missing-object", id: idOf(e) });
    expect(() => table.read(number)).toThrow(gone);
    expect(() => table.header(number)).toThrow(gone);
  });

  it("orders objects as they lie", () => {
    const table = make();
    const lying = [b, c, d, a, e].map((object) => table.locality(table.findId(idOf(object))));
    expect(lying.slice(0, 3)).toEqual(lying.slice(0, 3).toSorted((x, y) => x - y));
    expect(new Set(lying).size).toBe(5);
    for (const key of lying) expect(Number.isSafeInteger(key) && key >= 0).toBe(true);
  });
});
