import type { ObjectFormat, ObjectId } from "@x/objects";
import { describe, expect, it } from "vitest";
import type { Ref } from "../src/ref-store.ts";
import { logFromReftables, mergeReftables, reftableSegment } from "../src/reftable/reftable-compaction.ts";
import {
  decodeReftableLogValue,
  encodeReftableLogValue,
  type ReftableLog,
  type ReftableLogValue,
} from "../src/reftable/reftable-log.ts";
import { getFromReftables, listReftables } from "../src/reftable/reftable-stack.ts";
import type { ReftableTable } from "../src/reftable/reftable-table.ts";
import { fitsReftable, type ReftableShapeOptions, ReftableWriter } from "../src/reftable/reftable-writer.ts";
import { tableOf } from "./byte-table.ts";
import { CAPTURES } from "./reftable-captures.ts";
import { inflatedAt, testZlib as zlib } from "./test-zlib.ts";

const FORMATS = ["sha1", "sha256"] as const;
const idOf = (i: number, format: ObjectFormat) =>
  (i * 7919)
    .toString(16)
    .padStart(8, "0")
    .repeat(format === "sha1" ? 5 : 8) as ObjectId;

function bytesOf(writer: ReftableWriter): Uint8Array {
  writer.finish();
  return Buffer.concat(writer.take());
}

function refsOf(count: number, format: ObjectFormat): Ref[] {
  return Array.from({ length: count }, (_, i): Ref => {
    const name = `refs/heads/\xff${String(i * 2).padStart(6, "0")}`;
    if (i % 7 === 3) return { name, target: { kind: "symbolic", name: `refs/heads/${i}` } };
    const target = { kind: "id", id: idOf(i % 90, format) } as const;
    return { name, target, peeled: i % 5 === 2 ? idOf(i, format) : null };
  });
}

function logOf(i: number, format: ObjectFormat): ReftableLogValue {
  return {
    from: idOf(i, format),
    to: idOf(i + 1, format),
    name: `A U Thor \xfc ${i}`,
    mail: "a@example.com",
    time: 1_700_000_000 + i,
    zone: i % 2 === 0 ? -130 : 200,
    message: i % 3 === 0 ? "" : `push ${"x".repeat(i % 90)}\n`,
  };
}

async function listed(tables: readonly ReftableTable[]): Promise<Ref[]> {
  const refs: Ref[] = [];
  for await (const batch of listReftables(tables)) refs.push(...batch);
  return refs;
}

async function logged(table: readonly ReftableTable[], name: string): Promise<ReftableLog[]> {
  const logs: ReftableLog[] = [];
  for await (const log of logFromReftables(table, name, zlib)) logs.push(log);
  return logs;
}

async function merged(
  tables: readonly ReftableTable[],
  shape: ReftableShapeOptions,
  isOldest: boolean,
): Promise<Uint8Array> {
  const minUpdateIndex = tables[0]?.frame.minUpdateIndex ?? 0n;
  const maxUpdateIndex = tables.at(-1)?.frame.maxUpdateIndex ?? 0n;
  const writer = new ReftableWriter({ ...shape, minUpdateIndex, maxUpdateIndex, zlib });
  for await (const _ of mergeReftables(tables, writer, { isOldest, zlib }));
  return bytesOf(writer);
}

/** A table with its logs inflated, and less what depends on how well they were deflated. */
async function inflated(bytes: Uint8Array, format: ObjectFormat): Promise<string> {
  const { frame } = await tableOf(bytes, format);
  const from = frame.logsAt === 0 ? frame.headerLength : frame.logsAt;
  if (bytes[from] !== 0x67) return Buffer.from(bytes).toString("hex");
  const hex: string[] = [Buffer.from(bytes.subarray(0, from)).toString("hex")];
  let at = from;
  while (bytes[at] === 0x67) {
    const { buffer, engine } = inflatedAt(bytes.subarray(at + 4));
    hex.push(Buffer.concat([bytes.subarray(at, at + 4), buffer]).toString("hex"));
    at += 4 + engine.bytesWritten;
  }
  const footer = bytes.subarray(frame.blocksEnd, -12);
  if (frame.logIndexAt > 0) expect(frame.logIndexAt).toBe(at);
  return [...hex, Buffer.from(footer).toString("hex")].join("\n");
}

const SHAPES: readonly (readonly [string, Omit<ReftableShapeOptions, "format">])[] = [
  ["as usual", {}],
  ["in small blocks", { blockSize: 320 }],
  ["in small blocks, without objects", { blockSize: 320, indexObjects: false }],
  ["with a restart for each name", { blockSize: 512, restartInterval: 1 }],
  ["unaligned", { blockSize: 400, unaligned: true }],
];

describe.each(FORMATS)("a table that was written, %s", (format) => {
  describe.each(SHAPES)("%s", (_, options) => {
    const shape = { ...options, format };

    it.each([0, 1, 7, 60, 3000])("gives its %i refs and their logs back", async (count) => {
      const refs = refsOf(count, format);
      const writer = new ReftableWriter({ ...shape, minUpdateIndex: 5n, maxUpdateIndex: 9n, zlib });
      for (const ref of refs) writer.addRef({ name: ref.name, ref }, 7n);
      for (const [i, { name }] of refs.entries())
        for (const updateIndex of [9n, 7n])
          writer.addLog({ name, updateIndex, value: encodeReftableLogValue(logOf(i, format)) });
      expect(writer.isEmpty).toBe(count === 0);
      const table = await tableOf(bytesOf(writer), format);
      expect([table.frame.minUpdateIndex, table.frame.maxUpdateIndex]).toEqual([5n, 9n]);
      expect(await listed([table])).toEqual(refs);
      for (let i = 0; i < count; i += 1 + Math.floor(count / 40)) {
        const { name } = refs[i] as Ref;
        expect(await table.get(name)).toEqual({ name, ref: refs[i], delta: 2 });
        const logs = await logged([table], name);
        expect(logs.map(({ updateIndex }) => updateIndex)).toEqual([9n, 7n]);
        for (const { value } of logs)
          expect(decodeReftableLogValue(value as Uint8Array, format)).toEqual(logOf(i, format));
      }
      expect(await table.get("refs/heads/no")).toBeUndefined();
      expect(await logged([table], "refs/heads/no")).toEqual([]);
      expect(await logged([table], "refs/heads/\xff000001")).toEqual([]);
    });
  });

  it("holds logs without refs", async () => {
    const writer = new ReftableWriter({ format, minUpdateIndex: 1n, maxUpdateIndex: 1n, zlib });
    writer.addLog({ name: "HEAD", updateIndex: 1n, value: encodeReftableLogValue(logOf(1, format)) });
    const table = await tableOf(bytesOf(writer), format);
    expect(await listed([table])).toEqual([]);
    expect(await logged([table], "HEAD")).toHaveLength(1);
  });

  it("is the same as C git wrote, byte for byte", async () => {
    const blockSize = format === "sha1" ? 192 : 512;
    for (const capture of CAPTURES[format]) {
      const bytes = Buffer.from(capture, "base64");
      const table = await tableOf(bytes, format);
      const again = await merged([table], { format, blockSize }, false);
      expect(await inflated(again, format)).toBe(await inflated(bytes, format));
    }
  });
});

describe("merging tables", () => {
  const format = "sha1";
  const table = (index: bigint, fill: (writer: ReftableWriter) => void) => {
    const writer = new ReftableWriter({ format, minUpdateIndex: index, maxUpdateIndex: index, zlib });
    fill(writer);
    return tableOf(bytesOf(writer));
  };
  const ref = (name: string, i: number): Ref => ({
    name,
    target: { kind: "id", id: idOf(i, format) },
    peeled: null,
  });
  const log = (name: string, updateIndex: bigint, i: number): ReftableLog => ({
    name,
    updateIndex,
    value: encodeReftableLogValue(logOf(i, format)),
  });
  const stack = () =>
    Promise.all([
      table(1n, (writer) => {
        writer.addRef({ name: "a", ref: ref("a", 1) }, 1n);
        writer.addRef({ name: "b", ref: ref("b", 1) }, 1n);
        writer.addLog(log("a", 1n, 1));
        writer.addLog(log("b", 1n, 2));
      }),
      table(2n, (writer) => {
        writer.addRef({ name: "b", ref: undefined }, 2n);
        writer.addRef({ name: "c", ref: ref("c", 3) }, 2n);
        writer.addLog(log("a", 2n, 4));
        writer.addLog({ name: "b", updateIndex: 1n, value: undefined });
      }),
    ]);

  it("keeps what the youngest says, and deletions where something lies below", async () => {
    const tables = await stack();
    const all = await tableOf(await merged(tables, { format }, true));
    expect(await all.get("b")).toBeUndefined();
    expect(await all.get("c")).toEqual({ name: "c", ref: ref("c", 3), delta: 1 });
    expect((await logged([all], "a")).map(({ updateIndex }) => updateIndex)).toEqual([2n, 1n]);
    expect(await logged([all], "b")).toEqual([]);
    const upper = await tableOf(await merged(tables.slice(1), { format }, false));
    expect(await upper.get("b")).toEqual({ name: "b", ref: undefined, delta: 0 });
    const below = [tables[0] as ReftableTable, upper];
    expect(await getFromReftables(below, "b")).toBeUndefined();
    expect(await logged(below, "b")).toEqual([]);
  });

  it("of all that is gone leaves nothing", async () => {
    const [, upper] = await stack();
    const writer = new ReftableWriter({ format, minUpdateIndex: 1n, maxUpdateIndex: 2n, zlib });
    const gone = await table(3n, (into) => {
      into.addRef({ name: "c", ref: undefined }, 3n);
      into.addLog({ name: "a", updateIndex: 2n, value: undefined });
    });
    for await (const _ of mergeReftables([upper, gone], writer, { isOldest: true, zlib }));
    expect(writer.isEmpty).toBe(true);
  });
});

describe("what a table does not take", () => {
  const options = { format: "sha1", minUpdateIndex: 1n, maxUpdateIndex: 1n, zlib, blockSize: 300 } as const;

  it("names out of order, and refs behind logs", () => {
    const writer = new ReftableWriter(options);
    writer.addRef({ name: "b", ref: undefined }, 1n);
    expect(() => writer.addRef({ name: "a", ref: undefined }, 1n)).toThrow("in order");
    expect(() => writer.addRef({ name: "b", ref: undefined }, 1n)).toThrow("in order");
    writer.addLog({ name: "a", updateIndex: 1n, value: undefined });
    expect(() => writer.addRef({ name: "c", ref: undefined }, 1n)).toThrow("in order");
  });

  it("records that no block can hold, which is known beforehand", () => {
    const fits = (length: number) => {
      const writer = new ReftableWriter(options);
      const name = "x".repeat(length);
      const target = { kind: "id", id: idOf(1, "sha1") } as const;
      writer.addRef({ name, ref: { name, target, peeled: idOf(2, "sha1") } }, 1n);
    };
    let longest = 0;
    while (fitsReftable("x".repeat(longest + 1), options)) longest++;
    expect(longest).toBeGreaterThan(200);
    expect(() => fits(longest)).not.toThrow();
    expect(() => fits(300)).toThrow(expect.objectContaining({ code: "refs/too-large" }));
  });
});

describe("reftableSegment", () => {
  it.each([
    [[], undefined],
    [[5], undefined],
    [[64, 32, 16, 8, 4, 2, 1], undefined],
    [[64, 32, 16, 8, 4, 3, 1], { start: 0, end: 6 }],
    [[128, 32, 16, 8, 4, 3, 1], { start: 1, end: 6 }],
    [[1, 1], { start: 0, end: 2 }],
    [[100, 1, 1, 1], { start: 1, end: 4 }],
  ])("of %j is %j", (sizes, segment) => {
    expect(reftableSegment(sizes, 2)).toEqual(segment);
  });
});
