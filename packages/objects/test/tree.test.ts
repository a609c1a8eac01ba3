import { describe, expect, it } from "vitest";
import { objectIdToBytes, parseObjectId } from "../src/object-id.ts";
import { forEachTreeEntry, formatTree, parseTree, type TreeEntry, treeEntryKind } from "../src/tree.ts";

const id = (digit: string, format: "sha1" | "sha256" = "sha1") => {
  const parsed = parseObjectId(digit.repeat(format === "sha1" ? 40 : 64), format);
  if (parsed === undefined) throw new Error("bad id");
  return parsed;
};
const raw = (...parts: (string | Uint8Array)[]) =>
  Buffer.concat(parts.map((part) => (typeof part === "string" ? Buffer.from(part, "latin1") : part)));
const A = objectIdToBytes(id("a"));

describe("parseTree", () => {
  it("reads entries in the order they lie", () => {
    const tree = raw("100644 b\0", A, "40000 a\xff\0", A, "160000 z \0", A);
    expect(parseTree(tree, "sha1")).toEqual([
      { mode: 0o100644, name: "b", id: id("a") },
      { mode: 0o40000, name: "a\xff", id: id("a") },
      { mode: 0o160000, name: "z ", id: id("a") },
    ]);
    expect(parseTree(new Uint8Array(0), "sha1")).toEqual([]);
    expect(parseTree(raw("040000 x\0", A), "sha1")[0]?.mode).toBe(0o40000);
  });

  it.each([
    ["no mode", raw(" a\0", A)],
    ["no name", raw("100644 \0", A)],
    ["a mode of other digits", raw("100648 a\0", A)],
    ["a mode that does not end", raw("100644")],
    ["a mode that is far too long", raw("1000000000000 a\0", A)],
    ["a name that does not end", raw("100644 abc")],
    ["an id that stops short", raw("100644 a\0", A.subarray(1))],
    ["a byte after the last entry", raw("100644 a\0", A, "1")],
    ["an id of another format", raw("100644 a\0", objectIdToBytes(id("a", "sha256")))],
  ])("refuses %s", (_, tree) => {
    expect(() => parseTree(tree, "sha1")).toThrow(expect.objectContaining({ code: "objects/malformed" }));
  });

  it("refuses every cut but those between entries", () => {
    const tree = raw("100644 a\0", A, "40000 b\0", A);
    for (let end = 0; end <= tree.length; end++) {
      if (end === 0 || end === 29 || end === tree.length)
        expect(parseTree(tree.subarray(0, end), "sha1")).toBeDefined();
      else expect(() => parseTree(tree.subarray(0, end), "sha1")).toThrow();
    }
  });
});

describe("forEachTreeEntry", () => {
  it("says where names and ids lie", () => {
    const tree = raw("100644 ab\0", A, "40000 c\0", A);
    const seen: number[][] = [];
    forEachTreeEntry(tree, "sha1", (...entry) => void seen.push(entry));
    expect(seen).toEqual([
      [0o100644, 7, 9, 10],
      [0o40000, 36, 37, 38],
    ]);
  });
});

describe("formatTree", () => {
  it("orders names as bytes, a tree's as if it ended in a slash", () => {
    const entry = (mode: number, name: string): TreeEntry => ({ mode, name, id: id("b") });
    const entries = [
      entry(0o40000, "a"),
      entry(0o100644, "a.c"),
      entry(0o100644, "a-b"),
      entry(0o100755, "a0"),
      entry(0o120000, "\xff"),
      entry(0o160000, "Z"),
    ];
    const names = parseTree(formatTree(entries), "sha1").map((found) => found.name);
    expect(names).toEqual(["Z", "a-b", "a.c", "a", "a0", "\xff"]);
    expect(formatTree([])).toEqual(new Uint8Array(0));
  });

  it("writes what parseTree reads, sha256 too", () => {
    const entries: TreeEntry[] = [{ mode: 0o100644, name: "\xc3\xa9", id: id("c", "sha256") }];
    expect(parseTree(formatTree(entries), "sha256")).toEqual(entries);
  });
});

describe("treeEntryKind", () => {
  it("goes by the mode", () => {
    expect([0o40000, 0o100644, 0o100755, 0o120000, 0o160000].map(treeEntryKind)).toEqual([
      "tree",
      "blob",
      "blob",
      "blob",
      "gitlink",
    ]);
  });
});
