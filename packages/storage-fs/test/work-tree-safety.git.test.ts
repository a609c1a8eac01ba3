import { existsSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { git, temporaryDirectory } from "@tooling/test-kit";
import { type ObjectFormat, type ObjectId, objectIdToBytes } from "@x/objects";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  createWorkerPool,
  createWorkTreeUpdate,
  findRepository,
  readRepositoryConfig,
  type WorkerPool,
  type WorkTreePlace,
} from "../src/index.ts";
import { journalOf } from "./dead-process.ts";
import { locationOf } from "./made-repository.ts";
import { type Files, makePushedTo, type PushedTo, pushWithUpdate, stateOf } from "./work-tree.ts";

let pool: WorkerPool;
beforeAll(() => {
  pool = createWorkerPool({ heavyWorkers: 1 });
});
afterAll(() => pool.close());

const NOT_UPDATED = "Could not update working tree to new HEAD";
const BASE: Files = { a: "a\n", "dir/b": "b\n" };

type Entry = readonly [mode: string, name: string, id: string];

/** Writes a tree with just these entries, however wrong. */
async function writeTree(there: PushedTo, entries: readonly Entry[]): Promise<string> {
  const input = Buffer.concat(
    entries.map(([mode, name, id]) =>
      Buffer.concat([Buffer.from(`${mode} ${name}\0`, "utf8"), objectIdToBytes(id as ObjectId)]),
    ),
  );
  return git(["hash-object", "-t", "tree", "-w", "--stdin", "--literally"], { cwd: there.source, input });
}

/** A repository that a commit with such a tree is pushed to. */
async function hostile(
  make: (write: {
    tree(...entries: Entry[]): Promise<string>;
    blob(text: string): Promise<string>;
  }) => Promise<string>,
  config: Readonly<Record<string, string>> = {},
): Promise<PushedTo> {
  const there = await makePushedTo(BASE, BASE, { config });
  const blob = (input: string) => git(["hash-object", "-w", "--stdin"], { cwd: there.source, input });
  const tree = await make({ tree: (...entries) => writeTree(there, entries), blob });
  const to = await git(["commit-tree", "-m", "x", tree], { cwd: there.source });
  await git(["update-ref", "refs/heads/hostile", to], { cwd: there.source });
  return { ...there, to: to as ObjectId };
}

async function expectRefused(there: PushedTo, what: RegExp): Promise<void> {
  await git(["-c", "fetch.fsckObjects=false", "fetch", "-q", there.source, there.to], {
    cwd: there.directory,
  });
  const before = await stateOf(there);
  const inside = () => readdirSync(`${there.directory}/.git`).filter((name) => name !== "xgit-journal");
  const earlier = inside();
  const messages: string[] = [];
  expect(await pushWithUpdate(pool, there, messages)).toBe(NOT_UPDATED);
  expect(messages.join("\n")).toMatch(what);
  expect(await stateOf(there)).toEqual(before);
  expect(inside()).toEqual(earlier);
  expect(journalOf(`${there.directory}/.git`)).toEqual([]);
}

describe("a pushed tree does not leave the work tree by", () => {
  const names = [
    ".git",
    ".GIT",
    ".git ",
    ".git.",
    ".git::$INDEX_ALLOCATION",
    "git~1",
    "GIT~1",
    ".g\u200cit",
    "x\\.git",
    "..",
    ".",
  ];

  it.each(names)("a file called %j", async (name) => {
    await expectRefused(
      await hostile(async ({ tree, blob }) => tree(["100644", name, await blob("x")])),
      /invalid path/,
    );
  });

  it.each(names)("a directory called %j", async (name) => {
    await expectRefused(
      await hostile(async ({ tree, blob }) =>
        tree([
          "40000",
          "sub",
          await tree(["40000", name, await tree(["100644", "config", await blob("x")])]),
        ]),
      ),
      /invalid path/,
    );
  });

  it.each([".gitmodules", ".GitModules", "gitmod~1"])("a symlink called %j", async (name) => {
    await expectRefused(
      await hostile(async ({ tree, blob }) => tree(["120000", name, await blob(".git/config")])),
      /invalid path/,
    );
  });

  it.each(["../x", "dir/b", "/x"])("a slash in a name, %j", async (name) => {
    await expectRefused(
      await hostile(async ({ tree, blob }) => tree(["100644", name, await blob("x")])),
      /invalid path/,
    );
  });

  it("a symlink beside a directory of its name", async () => {
    const outside = temporaryDirectory("outside");
    await expectRefused(
      await hostile(async ({ tree, blob }) =>
        tree(
          ["120000", "d", await blob(outside)],
          ["40000", "d", await tree(["100644", "planted", await blob("x")])],
        ),
      ),
      /'d' is there twice/,
    );
    expect(readdirSync(outside)).toEqual([]);
  });

  it("names that the system takes for one", async () => {
    const outside = temporaryDirectory("outside");
    const there = await hostile(
      async ({ tree, blob }) =>
        tree(
          ["120000", "D", await blob(outside)],
          ["40000", "d", await tree(["100644", "planted", await blob("x")])],
        ),
      { "core.ignoreCase": "true" },
    );
    await expectRefused(there, /differ in case only/);
    expect(readdirSync(outside)).toEqual([]);
  });

  it("a tree that is out of order", async () => {
    await expectRefused(
      await hostile(async ({ tree, blob }) => {
        const id = await blob("x");
        return tree(["100644", "b", id], ["100644", "a", id]);
      }),
      /out of order/,
    );
  });

  it("a mode that is none", async () => {
    await expectRefused(
      await hostile(async ({ tree, blob }) => tree(["20000", "device", await blob("x")])),
      /mode that is none/,
    );
  });
});

describe("a failure on the way", () => {
  it("puts back what was there", async () => {
    const there = await makePushedTo(
      { ...BASE, "old/x": "x\n", z: { content: "a", mode: "120000" } },
      // No system takes so long a target, which comes to light when the others are written.
      { a: "new\n", dir: "a file now", fresh: "fresh", l: { content: "x".repeat(5000), mode: "120000" } },
    );
    await git(["fetch", "-q", there.source, there.to], { cwd: there.directory });
    const before = await stateOf(there);
    const messages: string[] = [];
    expect(await pushWithUpdate(pool, there, messages)).toBe(NOT_UPDATED);
    expect(messages.join("\n")).toContain("ENAMETOOLONG");
    expect(await stateOf(there)).toEqual(before);
  });
});

async function placeOf(
  { directory, format }: PushedTo,
  more: Partial<WorkTreePlace> = {},
): Promise<WorkTreePlace> {
  const layout = await findRepository(directory);
  if (layout === undefined) throw new Error("no repository");
  const config = await readRepositoryConfig(layout);
  return { layout, directory, location: locationOf(layout.commonDirectory, format), config, ...more };
}

describe("limits of a work tree", () => {
  const to: Files = { a: "a\n", "dir/b": "b\n", "dir/c": "c".repeat(1000) };

  it.each([
    ["maxFiles", { maxFiles: 2 }, { maxFiles: 3 }],
    ["maxPathsBytes", { maxPathsBytes: 13 }, { maxPathsBytes: 14 }],
    ["maxBytes", { maxBytes: 999 }, { maxBytes: 1000 }],
  ])("%s", async (name, tooLow, enough) => {
    const there = await makePushedTo(BASE, to);
    await git(["fetch", "-q", there.source, there.to], { cwd: there.directory });
    const before = await stateOf(there);
    const messages: string[] = [];
    const onMessage = (line: string) => messages.push(line);
    const update = async (limits: WorkTreePlace["limits"]) =>
      createWorkTreeUpdate(pool, await placeOf(there, { limits }))(there.from, there.to, { onMessage });
    expect(await update(tooLow)).toBe(NOT_UPDATED);
    expect(messages.join("\n")).toContain(name);
    expect(await stateOf(there)).toEqual(before);
    expect(await update(enough)).toBeUndefined();
  });

  it("a file no larger than an object may be", async () => {
    const there = await makePushedTo(BASE, to);
    await git(["fetch", "-q", there.source, there.to], { cwd: there.directory });
    const before = await stateOf(there);
    const place = await placeOf(there);
    const location = { ...place.location, maxObjectBytes: 999 };
    expect(await createWorkTreeUpdate(pool, { ...place, location })(there.from, there.to, {})).toBe(
      NOT_UPDATED,
    );
    expect(await stateOf(there)).toEqual(before);
  });
});

it("is called off before it has begun", async () => {
  const there = await makePushedTo(BASE, { a: "x" });
  await git(["fetch", "-q", there.source, there.to], { cwd: there.directory });
  const before = await stateOf(there);
  const update = createWorkTreeUpdate(pool, await placeOf(there));
  const controller = new AbortController();
  const running = update(there.from, there.to, { signal: controller.signal });
  controller.abort();
  const ended = await running.then(
    (refusal) => refusal,
    (error: Error) => error.name,
  );
  // Either it was called off, and nothing happened, or it was through already.
  expect([undefined, "AbortError"]).toContain(ended);
  if (ended !== undefined) expect(await stateOf(there)).toEqual(before);
  expect(existsSync(`${there.directory}/.git/index.lock`)).toBe(false);
});

describe("changes that do not show", () => {
  it("are found by content where time and size are as before", async () => {
    const there = await makePushedTo(BASE, { ...BASE, a: "x" });
    utimesSync(`${there.directory}/dir/b`, 1_600_000_000, 1_600_000_000);
    await there.git("update-index", "-q", "--refresh");
    writeFileSync(`${there.directory}/dir/b`, "q\n");
    utimesSync(`${there.directory}/dir/b`, 1_600_000_000, 1_600_000_000);
    expect(await pushWithUpdate(pool, there)).toBe("Working directory has unstaged changes");
    expect(readFileSync(`${there.directory}/dir/b`, "utf8")).toBe("q\n");
  });

  it("are seen by git right after an update", async () => {
    const there = await makePushedTo(BASE, { ...BASE, a: "new\n" });
    expect(await pushWithUpdate(pool, there)).toBeUndefined();
    writeFileSync(`${there.directory}/a`, "mod\n");
    expect(await there.git("status", "--porcelain")).toBe(" M a");
  });
});

describe("what cannot be converted", () => {
  const refused: Readonly<Record<string, readonly [string, Readonly<Record<string, string>>]>> = {
    "filter=f": ["* filter=f\n", { "filter.f.smudge": "cat" }],
    ident: ["*.c ident\n", {}],
    "working-tree-encoding=UTF-16": ["*.c working-tree-encoding=UTF-16\n", {}],
  };
  it.each(Object.entries(refused))("is refused by name: %s", async (name, [attributes, config]) => {
    const there = await makePushedTo(BASE, { ...BASE, "x.c": "x", ".gitattributes": attributes }, { config });
    await git(["fetch", "-q", there.source, there.to], { cwd: there.directory });
    const before = await stateOf(there);
    expect(await pushWithUpdate(pool, there)).toBe(`updateInstead cannot go on: ${name} is not supported`);
    expect(await stateOf(there)).toEqual(before);
  });

  it("is no matter where it applies to nothing that is written", async () => {
    const from: Files = { ...BASE, "x.c": "x", ".gitattributes": "*.c ident\n" };
    expect(await pushWithUpdate(pool, await makePushedTo(from, { ...from, a: "x" }))).toBeUndefined();
  });
});

describe.each([
  ["split", ["update-index", "--split-index"], "the index is split"],
  [
    "sparse",
    ["sparse-checkout", "set", "--cone", "--sparse-index", "dir"],
    "the index is sparse: it holds whole directories",
  ],
  [
    "of a sparse checkout",
    ["sparse-checkout", "set", "--no-cone", "dir"],
    "the checkout is sparse (core.sparseCheckout)",
  ],
] as const)("an index that is %s", (_, command, why) => {
  it("is refused by name", async () => {
    const from: Files = { ...BASE, "other/deep/x": "x" };
    const there = await makePushedTo(from, { ...from, "dir/b": "x" });
    await there.git(...command);
    expect(await pushWithUpdate(pool, there)).toBe(`updateInstead cannot go on: ${why}`);
  });
});

describe.each<ObjectFormat>(["sha1", "sha256"])("an update, %s", (format) => {
  it("leaves an index that git finds nothing to add to", async () => {
    const there = await makePushedTo(BASE, { a: "x\n", "new/deep/file": "1", "new/other": "2" }, { format });
    expect(await pushWithUpdate(pool, there)).toBeUndefined();
    const index = `${there.directory}/.git/index`;
    const before = statSync(index, { bigint: true }).ino;
    // The trees are known: git writes none, and takes the index as it is.
    expect(await there.git("write-tree")).toBe(await there.git("rev-parse", "HEAD^{tree}"));
    expect(statSync(index, { bigint: true }).ino).toBe(before);
    expect(await there.git("fsck", "--strict", "--no-progress", "--no-dangling")).toBe("");
  });
});
