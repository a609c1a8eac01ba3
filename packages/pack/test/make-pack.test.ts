import type { PackEvent, PackRequest } from "@x/objects";
import { createNodeHasher } from "@x/objects/node";
import { describe, expect, it } from "vitest";
import { makeEmptyPack, makePack, ObjectTable } from "../src/index.ts";
import { createNodeZlibCodec } from "../src/node.ts";
import { blob, commit, tag, tree } from "./memory-history.ts";
import { idOf, looseTable, type MemoryObject, packedWhole } from "./memory-table.ts";
import { NOTHING_LOOSE } from "./open-table.ts";
import { concat } from "./pack-builder.ts";

const tools = { codec: createNodeZlibCodec(), createHasher: createNodeHasher };
const [one, two] = [blob("one"), blob("two".repeat(10_000))];
const root = tree(["one", one], ["two", two]);
const tip = commit(root);
const mark = tag(tip);
const all = [one, two, root, tip, mark];
const ids = (...objects: readonly MemoryObject[]) => objects.map((object) => idOf(object));

function* events(table: ObjectTable, request: Partial<PackRequest>): Generator<PackEvent | undefined> {
  yield* makePack(table, { wants: ids(tip), haves: [], ofsDelta: true, ...request }, tools);
}

function make(table: ObjectTable, request: Partial<PackRequest>) {
  const list = [...events(table, request)].filter((event) => event !== undefined);
  const bytes = concat(...list.flatMap((event) => (event.kind === "bytes" ? [event.bytes] : [])));
  return { list, count: new DataView(bytes.buffer).getUint32(8), summary: list.at(-1), bytes };
}

describe("makePack", () => {
  const whole = new ObjectTable("sha1", [packedWhole(all.slice(0, 4))], NOTHING_LOOSE);

  it.each([
    ["loose", looseTable(all)],
    ["packed", whole],
  ])("leaves out and tells what comes from elsewhere, %s", (_, table) => {
    const absent = blob("absent");
    const { list, count, summary } = make(table, { elsewhere: ids(two, absent, mark) });
    expect(list[0]).toEqual({ kind: "elsewhere", ids: ids(two) });
    expect(list.filter((event) => event.kind === "elsewhere")).toHaveLength(1);
    expect(count).toBe(3);
    expect(summary).toMatchObject({ kind: "summary", summary: { objects: 3 } });
    expect(make(table, { elsewhere: [] }).list[0]).toEqual({ kind: "elsewhere", ids: [] });
    expect(make(table, {}).list.some((event) => event.kind === "elsewhere")).toBe(false);
  });

  it("takes the stored pack for the answer only when nothing is left out", () => {
    const [stored] = whole.packs;
    const size = stored?.source.size;
    expect(make(whole, {}).bytes).toHaveLength(size as number);
    expect(make(whole, { filter: { kind: "blob-none" } }).count).toBe(2);
    expect(make(whole, { filter: { kind: "blob-limit", limitBytes: 100 } }).count).toBe(3);
    expect(make(whole, { filter: { kind: "blob-limit", limitBytes: 1_000_000 } }).bytes).toHaveLength(
      size as number,
    );
  });

  it("brings along tags of what the filter leaves in", () => {
    const tags = [{ tag: idOf(mark), peeled: idOf(tip) }];
    const table = looseTable(all);
    expect(make(table, { tags, filter: { kind: "tree-depth", depth: 0 } }).count).toBe(2);
    const filter = { kind: "object-type", type: "blob" } as const;
    expect(make(table, { tags, wants: ids(tip), filter }).count).toBe(4);
    expect(make(table, { tags, wants: ids(root), filter }).count).toBe(3);
  });

  it.each([
    ["a commit", ids(tip), {}],
    ["a tag, with progress", ids(mark), { progress: true, thin: true }],
    ["a blob, filtered", ids(one), { filter: { kind: "blob-none" } }],
  ] as const)("is empty for whoever has what it wants: %s", (_, wants, more) => {
    const request = { wants, haves: wants, tags: [{ tag: idOf(mark), peeled: idOf(tip) }], ...more };
    const empty = [...makeEmptyPack("sha1", { ...tools, progress: "progress" in more })];
    const made = make(looseTable(all), request);
    const words = (list: readonly PackEvent[]) => list.filter(({ kind }) => kind !== "bytes");
    expect(words(empty)).toEqual(words(made.list));
    expect(empty.flatMap((event) => (event.kind === "bytes" ? [...event.bytes] : []))).toEqual([
      ...made.bytes,
    ]);
  });

  it("ends with the bytes and the tree visits that it may cost", () => {
    const limits = { maxTreeVisits: 1, maxCpuMs: 1000, maxPackBytes: 1000 };
    expect(make(whole, { limits }).count).toBe(4);
    const refusal = (name: string) =>
      expect.objectContaining({ code: "pack/limit-exceeded", message: expect.stringContaining(name) });
    expect(() => make(whole, { limits: { ...limits, maxPackBytes: 100 } })).toThrow(
      refusal("maxPackBytes (100)"),
    );
    const fresh = new ObjectTable("sha1", whole.packs, NOTHING_LOOSE);
    expect(() => make(fresh, { limits: { ...limits, maxTreeVisits: 0 } })).toThrow(
      refusal("maxTreeVisits (0)"),
    );
  });
});
