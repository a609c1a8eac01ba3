import { type ReftableEntry, type ReftableShape, writeReftable } from "@tooling/test-kit";
import { describe, expect, it } from "vitest";
import type { Ref } from "../src/ref-store.ts";
import { getFromReftables, listReftables } from "../src/reftable/reftable-stack.ts";
import { ReftableTable } from "../src/reftable/reftable-table.ts";
import { sourceOf, tableOf } from "./byte-table.ts";
import { CAPTURES } from "./reftable-captures.ts";

const SHAPES: readonly (readonly [string, ReftableShape])[] = [
  ["aligned", {}],
  ["aligned, small blocks", { blockSize: 256 }],
  ["aligned, a restart for each", { blockSize: 512, restartInterval: 1 }],
  ["unaligned", { unaligned: true, blockSize: 300 }],
  ["unaligned, with logs", { unaligned: true, blockSize: 300, logs: ["refs/heads/main"] }],
  ["aligned, with logs", { blockSize: 256, logs: ["refs/heads/main"] }],
  ["version 2 of sha1", { version: 2 }],
  ["sha256", { objectFormat: "sha256", blockSize: 512 }],
];

function entriesOf(count: number, digits: number): ReftableEntry[] {
  return Array.from({ length: count }, (_, i) => {
    const name = `refs/heads/${String(i * 2).padStart(5, "0")}`;
    const id = i.toString(16).padStart(digits, "0");
    if (i % 7 === 3) return { name, value: { symbolic: `refs/heads/\xff${i}` } };
    return { name, value: i % 5 === 2 ? { id, peeled: "ab".repeat(digits / 2) } : { id } };
  });
}

function refOf({ name, value }: ReftableEntry): Ref | undefined {
  if (value === "deleted") return undefined;
  if ("symbolic" in value) return { name, target: { kind: "symbolic", name: value.symbolic } };
  return { name, target: { kind: "id", id: value.id as never }, peeled: (value.peeled ?? null) as never };
}

async function listed(tables: readonly ReftableTable[], prefixes?: readonly string[]): Promise<Ref[]> {
  const refs: Ref[] = [];
  for await (const batch of listReftables(tables, { prefixes })) refs.push(...batch);
  return refs;
}

describe.each(SHAPES)("a reftable, %s", (_, shape) => {
  const format = shape.objectFormat ?? "sha1";
  const digits = format === "sha1" ? 40 : 64;

  it.each([0, 1, 5, 40, 700])("gives its %i refs back", async (count) => {
    const entries = entriesOf(count, digits);
    const table = await tableOf(writeReftable(entries, shape), format);
    expect(await listed([table])).toEqual(entries.map(refOf));
    for (const entry of entries) expect((await table.get(entry.name))?.ref).toEqual(refOf(entry));
  });

  it("finds no name that it does not hold", async () => {
    const table = await tableOf(writeReftable(entriesOf(700, digits), shape), format);
    for (let i = 0; i < 1400; i += 33) {
      const name = `refs/heads/${String(i | 1).padStart(5, "0")}`;
      expect(await table.get(name)).toBeUndefined();
    }
    expect(await table.get("HEAD")).toBeUndefined();
    expect(await table.get("refs/zzz")).toBeUndefined();
  });

  it("lists what starts with prefixes as a plain filter would", async () => {
    const entries = entriesOf(700, digits);
    const table = await tableOf(writeReftable(entries, shape), format);
    for (const prefixes of [
      ["refs/heads/0"],
      ["refs/heads/001", "refs/heads/0012", "refs/heads/00500"],
      ["r"],
      ["refs/heads/01398", "refs/heads/00000"],
      ["refs/heads", "refs/tags/", "HEAD"],
      ["refs/zz"],
      ["x"],
      [],
    ]) {
      const expected = entries.filter(({ name }) => prefixes.some((prefix) => name.startsWith(prefix)));
      expect(await listed([table], prefixes)).toEqual(expected.map(refOf));
    }
  });
});

describe("a stack of reftables", () => {
  const A = "a".repeat(40);
  const B = "b".repeat(40);
  const stack = (...tables: ReftableEntry[][]) =>
    Promise.all(tables.map((entries) => tableOf(writeReftable(entries))));

  it("takes the youngest word on a ref, its deletion too", async () => {
    const tables = await stack(
      [
        { name: "HEAD", value: { symbolic: "refs/heads/a" } },
        { name: "refs/heads/a", value: { id: A } },
        { name: "refs/heads/b", value: { id: A } },
        { name: "refs/heads/c", value: { id: A } },
      ],
      [
        { name: "refs/heads/a", value: "deleted" },
        { name: "refs/heads/b", value: "deleted" },
        { name: "refs/heads/c", value: { symbolic: "refs/heads/b" } },
      ],
      [
        { name: "refs/heads/b", value: { id: B } },
        { name: "refs/heads/d", value: { id: B } },
      ],
    );
    expect((await listed(tables)).map(({ name, target }) => [name, target])).toEqual([
      ["refs/heads/b", { kind: "id", id: B }],
      ["refs/heads/c", { kind: "symbolic", name: "refs/heads/b" }],
      ["refs/heads/d", { kind: "id", id: B }],
    ]);
    expect(await getFromReftables(tables, "refs/heads/a")).toBeUndefined();
    expect((await getFromReftables(tables, "refs/heads/b"))?.target).toEqual({ kind: "id", id: B });
    expect((await getFromReftables(tables, "HEAD"))?.target).toEqual({
      kind: "symbolic",
      name: "refs/heads/a",
    });
    expect(await getFromReftables(tables, "refs/heads/e")).toBeUndefined();
  });

  it("passes over names that git would not take, and gives up at dangerous ones", async () => {
    const bad: string[] = [];
    const tables = await stack([
      { name: "refs/heads/a..b", value: { id: A } },
      { name: "refs/heads/b", value: { id: A } },
    ]);
    const names: string[] = [];
    for await (const batch of listReftables(tables, { onBadName: (name) => bad.push(name) }))
      names.push(...batch.map(({ name }) => name));
    expect([names, bad]).toEqual([["refs/heads/b"], ["refs/heads/a..b"]]);
    const dangerous = await stack([{ name: "refs/../../x", value: { id: A } }]);
    await expect(listed(dangerous)).rejects.toMatchObject({ code: "refs/malformed" });
  });

  it("is empty without tables", async () => {
    expect(await listed([])).toEqual([]);
    expect(await getFromReftables([], "HEAD")).toBeUndefined();
  });
});

describe.each(["sha1", "sha256"] as const)("what C git wrote, %s", (format) => {
  it("reads a stack with logs, objects and an index", async () => {
    const files = CAPTURES[format].map((text) => Uint8Array.from(Buffer.from(text, "base64")));
    const tables = await Promise.all(files.map((bytes) => tableOf(bytes, format)));
    const refs = await listed(tables);
    expect(refs.map(({ name }) => name)).toEqual(
      [
        "refs/heads/alias",
        "refs/heads/main",
        ...Array.from({ length: 16 }, (_, i) => `refs/heads/topic/${i}`).filter(
          (name) => !name.endsWith("/7"),
        ),
        "refs/tags/v1",
      ].sort(),
    );
    const main = refs[1]?.target;
    const id = main?.kind === "id" ? main.id : "";
    expect(id).toMatch(format === "sha1" ? /^385e9ab4/ : /^5137df04/);
    expect(refs[0]?.target).toEqual({ kind: "symbolic", name: "refs/heads/main" });
    expect(refs[1]?.peeled).toBeNull();
    expect(refs.at(-1)?.peeled).toBe(id);
    for (const ref of refs) expect(await getFromReftables(tables, ref.name)).toEqual(ref);
    expect(await getFromReftables(tables, "refs/heads/gone")).toBeUndefined();
    expect(await getFromReftables(tables, "HEAD")).toMatchObject({ target: { name: "refs/heads/main" } });
  });
});

describe("reading no more than is needed", () => {
  it("reads ends, index and one block for one name of a hundred thousand", async () => {
    const entries = Array.from({ length: 100_000 }, (_, i) => ({
      name: `refs/changes/${String(i).padStart(6, "0")}`,
      value: { id: "a".repeat(40) },
    }));
    const source = sourceOf(writeReftable(entries));
    const table = await ReftableTable.open(source, "sha1");
    expect((await table.get("refs/changes/054321"))?.name).toBe("refs/changes/054321");
    expect(source.reads).toBeLessThan(10);
    expect(source.bytesRead).toBeLessThan(8 * 4096);
    const before = source.bytesRead;
    expect(await listed([table], ["refs/changes/0999"])).toHaveLength(100);
    expect(source.bytesRead - before).toBeLessThan(8 * 4096);
  });
});
