import { describe, expect, it } from "vitest";
import { CommitTable, MISSING } from "../src/index.ts";
import { idOf, looseTable, type MemoryObject } from "./memory-table.ts";
import { bytesOf } from "./pack-builder.ts";

const tree: MemoryObject = { type: "tree", data: new Uint8Array(0) };
const commit = (text: string): MemoryObject => ({ type: "commit", data: bytesOf(text) });
const times = "author A <a> 5 +0000\ncommitter C <c> 77 +0000\n\nx\n";
const root = commit(`tree ${idOf(tree)}\n${times}`);

function tableOf(
  object: MemoryObject,
  parentless = false,
): { table: CommitTable; number: number; root: number } {
  const objects = looseTable([tree, root, object]);
  const number = objects.findId(idOf(object));
  const table = new CommitTable(objects, new Set(parentless ? [number] : []));
  return { table, number, root: objects.findId(idOf(root)) };
}

describe("CommitTable", () => {
  it("reads tree, parents in order, and time", () => {
    const absent = "1".repeat(40);
    const parents = `parent ${idOf(root)}\nparent ${absent}\nparent ${idOf(root).toUpperCase()}\n`;
    const { table, number, root: first } = tableOf(commit(`tree ${idOf(tree)}\n${parents}${times}`));
    expect(table.parents(number)).toEqual([first, MISSING, first]);
    expect(table.objects.id(table.tree(number))).toBe(idOf(tree));
    expect(table.time(number)).toBe(77);
    expect(table.parents(first)).toEqual([]);
    expect(table.size).toBe(2);
  });

  it("leaves the parents of a boundary out of account", () => {
    const { table, number } = tableOf(commit(`tree ${idOf(tree)}\nparent ${idOf(root)}\n${times}`), true);
    expect(table.parents(number)).toEqual([]);
    expect(table.time(number)).toBe(77);
  });

  it("knows a tree that is not stored", () => {
    const { table, number } = tableOf(commit(`tree ${"2".repeat(40)}\n${times}`));
    expect(table.tree(number)).toBe(MISSING);
  });

  it.each([
    "",
    "tree",
    `tree ${"g".repeat(40)}\n`,
    `tree ${"1".repeat(39)}\n`,
    `tree ${"1".repeat(41)}\n`,
    `tree ${"1".repeat(40)}`,
    ` tree ${"1".repeat(40)}\n`,
    `tree ${"1".repeat(40)}\nparent \n`,
    `tree ${"1".repeat(40)}\nparent ${"1".repeat(40)} \n`,
    `tree ${"1".repeat(40)}\nparent ${"1".repeat(40)}`,
  ])("refuses %j", (text) => {
    const { table, number } = tableOf(commit(text));
    expect(() => table.parents(number)).toThrow(expect.objectContaining({ code: "pack/malformed" }));
  });

  it("takes a commit without a readable time for very old", () => {
    for (const text of [
      "",
      "author A <a> 5 +0000\n",
      "author A <a> 5\ncommitter C <c> soon\n",
      "author\ncommitter",
    ])
      expect(tableTime(`tree ${idOf(tree)}\n${text}`)).toBe(0);
  });

  it("refuses what is no commit", () => {
    const { table, number } = tableOf({ type: "tag", data: root.data });
    expect(() => table.time(number)).toThrow(expect.objectContaining({ code: "pack/malformed" }));
  });
});

function tableTime(text: string): number {
  const { table, number } = tableOf(commit(text));
  return table.time(number);
}
