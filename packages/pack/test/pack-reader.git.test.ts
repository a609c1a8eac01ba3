import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { git, temporaryDirectory, tryGit } from "@tooling/test-kit";
import type { ObjectFormat } from "@x/objects";
import { beforeAll, describe, expect, it } from "vitest";
import type { ObjectTable } from "../src/index.ts";
import { type OpenOptions, openTable } from "./open-table.ts";
import { noise } from "./pack-builder.ts";
import { type History, randomHistory } from "./random-history.ts";

interface GitObject {
  readonly id: string;
  readonly type: string;
  readonly data: string;
}

/** Every object that git finds. */
async function allObjects(directory: string): Promise<GitObject[]> {
  const text = await git(["cat-file", "--batch", "--batch-all-objects"], { cwd: directory });
  const objects: GitObject[] = [];
  for (let at = 0; at < text.length; ) {
    const end = text.indexOf("\n", at);
    const [id = "", type = "", size = ""] = text.slice(at, end).split(" ");
    objects.push({ id, type, data: text.slice(end + 1, end + 1 + Number(size)) });
    at = end + 1 + Number(size) + 1;
  }
  return objects;
}

function expectSame(table: ObjectTable, objects: readonly GitObject[]): void {
  let deltas = 0;
  for (const { id, type, data } of objects) {
    const number = table.findId(id as never);
    expect(number, id).toBeGreaterThanOrEqual(0);
    expect(table.id(number)).toBe(id);
    expect(table.header(number), id).toEqual({ type, size: data.length });
    const read = table.readDerived(number);
    expect(read.type, id).toBe(type);
    expect(Buffer.from(read.data).toString("latin1") === data, `${type} ${id}`).toBe(true);
    if (read.delta !== undefined) deltas++;
  }
  expect(deltas).toBeGreaterThan(0);
}

/** Another repository with one pack, as `pack-objects` with `flags` makes it. */
async function repacked(history: History, flags: readonly string[]): Promise<string> {
  const directory = temporaryDirectory("packed");
  await git(["init", "-q", "--bare", `--object-format=${history.format}`, directory]);
  const ids = await history.git("cat-file", "--batch-all-objects", "--batch-check=%(objectname)");
  await git(["pack-objects", "-q", ...flags, join(directory, "objects/pack/pack")], {
    cwd: history.directory,
    input: `${ids}\n`,
  });
  return directory;
}

const VARIANTS: readonly (readonly [string, readonly string[], OpenOptions])[] = [
  ["offset deltas, index 2", ["--delta-base-offset", "--depth=50", "--window=20"], {}],
  ["id deltas, index 2", ["--depth=50", "--window=20"], {}],
  ["offset deltas, index 1", ["--delta-base-offset", "--index-version=1"], {}],
  ["id deltas, index 1", ["--index-version=1"], { neutral: true }],
  ["large offsets in the index", ["--index-version=2,0x100"], {}],
  ["nothing kept", ["--delta-base-offset", "--depth=200", "--window=30"], { cacheBytes: 8, maxWindows: 1 }],
  ["little kept", ["--delta-base-offset", "--depth=200", "--window=30"], { cacheBytes: 9000, maxWindows: 2 }],
];

describe.each<ObjectFormat>(["sha1", "sha256"])("packs that git made, %s", (format) => {
  let history: History;
  let objects: GitObject[];

  beforeAll(async () => {
    history = await randomHistory({ format, seed: 7, commits: 150 });
    for (const [i, data] of [noise(300_000), new Uint8Array(3_000_000), new Uint8Array(0)].entries()) {
      writeFileSync(join(history.directory, `big${i}`), data);
      await history.git("hash-object", "-w", `big${i}`);
    }
    objects = await allObjects(history.directory);
  });

  it.each(VARIANTS)("reads %s", async (_, flags, options) => {
    const directory = await repacked(history, flags);
    expectSame(openTable(directory, format, options), objects);
  });

  it("reads in any order", async () => {
    const directory = await repacked(history, ["--delta-base-offset", "--depth=50"]);
    const table = openTable(directory, format, { cacheBytes: 40_000 });
    expectSame(table, objects.toReversed());
    expectSame(
      table,
      [...objects, ...objects].sort((a, b) => (a.data < b.data ? -1 : 1)),
    );
  });

  it("reads loose objects and packs side by side", () => {
    expectSame(openTable(history.directory, format), objects);
  });

  it("reads several packs that overlap, one of them completed", async () => {
    const { commits } = history;
    const directory = temporaryDirectory("several");
    await git(["init", "-q", "--bare", `--object-format=${format}`, directory]);
    const pack = async (flags: readonly string[], revisions: readonly (string | undefined)[]) => {
      const source = { cwd: history.directory, input: `${revisions.join("\n")}\n` };
      const { stdout } = await tryGit(["pack-objects", "-q", "--revs", "--stdout", ...flags], source);
      const bytes = Buffer.from(stdout, "latin1");
      await git(["index-pack", "--stdin", "--fix-thin"], { cwd: directory, input: bytes });
    };
    await pack(["--delta-base-offset"], [commits[40]]);
    await pack([], [commits[90], `^${commits[20]}`]);
    await pack(["--thin", "--delta-base-offset"], [commits[149], `^${commits[40]}`]);
    await pack(["--thin"], [commits[120], `^${commits[40]}`]);
    expect(
      readdirSync(join(directory, "objects/pack")).filter((name) => name.endsWith(".pack")),
    ).toHaveLength(4);
    expectSame(openTable(directory, format), await allObjects(directory));
  });
});
