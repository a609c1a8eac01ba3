import { objectIdToBytes } from "@x/objects";
import { describe, expect, it } from "vitest";
import { type ObjectTable, ObjectTable as Table } from "../src/index.ts";
import { TreeScanner } from "../src/walk/tree-scanner.ts";
import { idOf, looseTable, packed } from "./memory-table.ts";
import { NOTHING_LOOSE } from "./open-table.ts";
import { bytesOf, concat, copy, delta, insert, noise, ofsDelta, whole } from "./pack-builder.ts";

const entry = (name: string, seed: number, mode = "100644") =>
  concat(bytesOf(`${mode} ${name}\0`), noise(20, seed));

/** The seeds of the entries that are shown. */
function shown(scanner: TreeScanner, table: ObjectTable, tree: Uint8Array): number[] {
  const seeds: number[] = [];
  const number = table.findId(idOf({ type: "tree", data: tree }));
  scanner.scan(number, (data, _type, _nameAt, idAt) => {
    const id = Buffer.from(data.subarray(idAt, idAt + 20));
    seeds.push(Array.from({ length: 100 }, (_, i) => i).findIndex((seed) => id.equals(noise(20, seed))));
  });
  return seeds;
}

/** A base, and a tree that `instructions` make of it, in one pack. */
function derived(base: Uint8Array, target: Uint8Array, ...instructions: readonly Uint8Array[]): ObjectTable {
  const bytes = whole("tree", base);
  const id = (data: Uint8Array) => objectIdToBytes(idOf({ type: "tree", data }));
  const second = ofsDelta(bytes.length, delta(base.length, target.length, ...instructions));
  const entries = [
    { id: id(base), bytes },
    { id: id(target), bytes: second },
  ];
  return new Table("sha1", [packed(entries)], NOTHING_LOOSE);
}

const [A, B, C, D] = [entry("a", 1), entry("b", 2), entry("c", 3), entry("d", 4)];
const BASE = concat(A, B, C, D);
const [atB, atC, atD] = [A.length, A.length + B.length, A.length + B.length + C.length];

describe("TreeScanner", () => {
  it.each([
    ["nothing changed", BASE, [copy(0, BASE.length)], []],
    ["added in front", concat(entry("0", 9), BASE), [insert(entry("0", 9)), copy(0, BASE.length)], [9]],
    ["added at the end", concat(BASE, entry("z", 9)), [copy(0, BASE.length), insert(entry("z", 9))], [9]],
    [
      "added between",
      concat(A, entry("aa", 9), B, C, D),
      [copy(0, atB), insert(entry("aa", 9)), copy(atB, BASE.length - atB)],
      [9],
    ],
    ["removed in front", concat(B, C, D), [copy(atB, BASE.length - atB)], []],
    ["removed at the end", concat(A, B, C), [copy(0, atD)], []],
    ["all removed", new Uint8Array(0), [], []],
    [
      "one id changed",
      concat(A, entry("b", 9), C, D),
      [copy(0, atB + 9), insert(noise(20, 9)), copy(atC, BASE.length - atC)],
      [9],
    ],
    [
      "part of an id changed",
      concat(A, B.subarray(0, 19), noise(10, 9), C),
      [copy(0, atB + 19), insert(noise(10, 9)), copy(atC, C.length)],
      [-1],
    ],
    ["renamed", concat(entry("q", 1), B, C, D), [insert(bytesOf("100644 q")), copy(8, BASE.length - 8)], [1]],
    [
      "a file become a directory",
      concat(A, entry("b", 2, "40000"), C),
      [copy(0, atB), insert(bytesOf("40000")), copy(atB + 6, B.length - 6 + C.length)],
      [2],
    ],
    ["in another order", concat(C, D, A, B), [copy(atC, BASE.length - atC), copy(0, atC)], []],
    ["twice the same", concat(A, B, A, B), [copy(0, atC), copy(0, atC)], []],
    [
      "copied from the middle of an entry",
      concat(A.subarray(0, 8), B.subarray(8), C),
      [copy(0, 8), copy(atB + 8, B.length - 8 + C.length)],
      [2],
    ],
    ["copied in crumbs", BASE, Array.from({ length: BASE.length }, (_, i) => copy(i, 1)), [1, 2, 3, 4]],
  ] as const)("shows what is new: %s", (_, target, instructions, expected) => {
    const table = derived(BASE, target, ...instructions);
    const scanner = new TreeScanner(table);
    expect(shown(scanner, table, BASE)).toEqual([1, 2, 3, 4]);
    expect(shown(scanner, table, target)).toEqual(target === BASE ? [1, 2, 3, 4] : expected);
  });

  it("shows all of a tree whose base was not scanned, or no more remembered", () => {
    const target = concat(A, B, C);
    const table = derived(BASE, target, copy(0, atD));
    expect(shown(new TreeScanner(table), table, target)).toEqual([1, 2, 3]);
    const small = new TreeScanner(table, 7);
    expect(shown(small, table, BASE)).toEqual([1, 2, 3, 4]);
    expect(shown(small, table, target)).toEqual([1, 2, 3]);
  });

  it("does not pass over what a visitor gave up on", () => {
    const target = concat(A, B, C);
    const table = derived(BASE, target, copy(0, atD));
    const scanner = new TreeScanner(table);
    const number = table.findId(idOf({ type: "tree", data: BASE }));
    let visits = 0;
    const giveUp = () => {
      if (++visits === 2) throw new Error("enough");
    };
    expect(() => scanner.scan(number, giveUp)).toThrow("enough");
    expect(shown(scanner, table, target)).toEqual([1, 2, 3]);
  });

  it.each([
    ["cut short", BASE.subarray(0, BASE.length - 1)],
    ["without a NUL", bytesOf("100644 abcdefghijklmnopqrstuvwxyz")],
    ["with a mode of letters", concat(bytesOf("10x644 a\0"), noise(20))],
    ["with an endless mode", concat(bytesOf("000000000000100644 a\0"), noise(20))],
    ["without a mode", concat(bytesOf(" a\0"), noise(20))],
    ["without a name", concat(bytesOf("100644 \0"), noise(20))],
    ["of one byte", bytesOf("1")],
    ["with something behind", concat(BASE, bytesOf("\0"))],
  ])("refuses a tree %s", (_, data) => {
    const table = looseTable([{ type: "tree", data }]);
    const malformed = expect.objectContaining({ code: "pack/malformed" });
    expect(() => shown(new TreeScanner(table), table, data)).toThrow(malformed);
  });

  it("refuses what is no tree", () => {
    const blob = { type: "blob" as const, data: BASE };
    const table = looseTable([blob]);
    const scan = () => new TreeScanner(table).scan(table.findId(idOf(blob)), () => {});
    expect(scan).toThrow(expect.objectContaining({ code: "pack/malformed" }));
  });

  it("refuses a delta that copies good entries after bad ones", () => {
    // Wherever the copy comes from, a place that is not known must not be taken for the start of an entry.
    for (const bad of ["x", "1", "100644 ", " a\0", "100644 b"])
      for (let from = 0; from < BASE.length; from++) {
        const target = concat(bytesOf(bad), BASE.subarray(from));
        const table = derived(BASE, target, insert(bytesOf(bad)), copy(from, BASE.length - from));
        const scanner = new TreeScanner(table);
        expect(shown(scanner, table, BASE)).toEqual([1, 2, 3, 4]);
        const plain = outcome(() => shown(new TreeScanner(table), table, target));
        const followed = outcome(() => shown(scanner, table, target));
        if (plain === "refused") expect(followed, `${bad} ${from}`).toBe("refused");
        else for (const seed of plain) expect([1, 2, 3, 4, ...followed], `${bad} ${from}`).toContain(seed);
      }
  });
});

function outcome(run: () => number[]): number[] | "refused" {
  try {
    return run();
  } catch {
    return "refused";
  }
}
