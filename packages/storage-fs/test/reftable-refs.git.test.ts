import {
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import {
  createTestRepository,
  git,
  moveToReftable,
  type ReftableEntry,
  temporaryDirectory,
  writeReftable,
  writeReftableStack,
} from "@tooling/test-kit";
import type { Ref } from "@x/refs";
import { describe, expect, it } from "vitest";
import { createFileConfig } from "../src/config/repository-config.ts";
import { PageCache } from "../src/refs/page-cache.ts";
import { createReftableRefs } from "../src/reftable/reftable-refs.ts";
import { listAll, openRefs } from "./open-refs.ts";

const A = "a".repeat(40);
const B = "b".repeat(40);
const id = (name: string, value: string): ReftableEntry => ({ name, value: { id: value } });

function storeAt(directory: string, own = directory, cache = new PageCache(1 << 20)) {
  return createReftableRefs({
    directories: { own, common: directory },
    objectFormat: "sha1",
    config: createFileConfig([]),
    bare: true,
    cache,
  });
}

const shown = (refs: readonly Ref[]) =>
  refs.map(({ name, target }) => `${target.kind === "id" ? target.id.slice(0, 2) : target.name} ${name}`);

function openFilesBelow(directory: string): string[] {
  return readdirSync("/proc/self/fd")
    .flatMap((fd) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`);
      } catch {
        return []; // closed meanwhile
      }
    })
    .filter((path) => path.startsWith(directory));
}

describe.each(["sha1", "sha256"] as const)("a repository of reftables, %s", (objectFormat) => {
  it("has the refs that it had as files", async () => {
    const source = await createTestRepository({ objectFormat });
    await source.commit("one");
    await source.git("tag", "-a", "-m", "x", "v1");
    for (let i = 0; i < 50; i++) await source.git("branch", `topic/${i}`);
    await source.git("symbolic-ref", "refs/heads/alias", "refs/heads/main");
    const directory = `${temporaryDirectory("reftable")}/r.git`;
    await git(["clone", "-q", "--mirror", source.directory, directory]);
    await git(["symbolic-ref", "refs/heads/alias", "refs/heads/main"], { cwd: directory });
    await git(["pack-refs", "--all"], { cwd: directory });
    const before = await openRefs(directory);
    const refs = await listAll(before);
    const head = await before.get("HEAD");
    await moveToReftable(directory, { objectFormat, blockSize: 256 });
    const store = await openRefs(directory);
    const withoutPeeled = (list: readonly Ref[]) => list.map(({ name, target }) => ({ name, target }));
    expect(withoutPeeled(await listAll(store))).toEqual(withoutPeeled(refs));
    const peeled = refs.find(({ name }) => name === "refs/tags/v1");
    expect(await store.get("refs/tags/v1")).toEqual(peeled);
    expect(await store.get("HEAD")).toEqual(head);
    expect(await store.get("refs/zz/gone")).toBeUndefined();
    expect(await listAll(store, ["refs/heads/topic/1"])).toHaveLength(11);
  });
});

describe("createReftableRefs", () => {
  it("has the refs of the work tree that is asked, and others' by their names", async () => {
    const directory = temporaryDirectory("stacks");
    const own = `${directory}/worktrees/here`;
    writeReftableStack(directory, [
      writeReftable([
        { name: "HEAD", value: { symbolic: "refs/heads/main" } },
        id("refs/bisect/main", A),
        id("refs/heads/main", A),
        id("refs/worktree/x", A),
      ]),
    ]);
    for (const [id_, target] of [
      ["here", "refs/heads/here"],
      ["there", "refs/heads/there"],
    ] as const) {
      mkdirSync(`${directory}/worktrees/${id_}`, { recursive: true });
      const entries = [{ name: "HEAD", value: { symbolic: target } }, id("refs/bisect/own", B)];
      writeReftableStack(`${directory}/worktrees/${id_}`, [writeReftable(entries)]);
    }
    const main = storeAt(directory);
    expect(shown(await listAll(main))).toEqual([
      "aa refs/bisect/main",
      "aa refs/heads/main",
      "aa refs/worktree/x",
    ]);
    expect((await main.get("HEAD"))?.target).toEqual({ kind: "symbolic", name: "refs/heads/main" });
    const linked = storeAt(directory, own);
    expect(shown(await listAll(linked))).toEqual(["bb refs/bisect/own", "aa refs/heads/main"]);
    expect((await linked.get("HEAD"))?.target).toEqual({ kind: "symbolic", name: "refs/heads/here" });
    expect(await linked.get("main-worktree/HEAD")).toEqual({
      name: "main-worktree/HEAD",
      target: { kind: "symbolic", name: "refs/heads/main" },
    });
    expect((await linked.get("worktrees/there/HEAD"))?.target).toMatchObject({ name: "refs/heads/there" });
    expect((await main.get("worktrees/here/refs/bisect/own"))?.target).toEqual({ kind: "id", id: B });
    expect(await main.get("worktrees/nobody/HEAD")).toBeUndefined();
    expect(await main.get("worktrees/../HEAD")).toBeUndefined();
    expect(await main.get("config")).toBeUndefined();
  });

  it("sees a table that was added, and forgets those that are gone", async () => {
    const directory = temporaryDirectory("grows");
    const store = storeAt(directory);
    expect(await listAll(store)).toEqual([]);
    writeReftableStack(directory, [writeReftable([id("refs/heads/a", A)])]);
    expect(shown(await listAll(store))).toEqual(["aa refs/heads/a"]);
    writeReftableStack(directory, [
      writeReftable([id("refs/heads/a", A)]),
      writeReftable([id("refs/heads/a", B), id("refs/heads/b", B)]),
    ]);
    expect(shown(await listAll(store))).toEqual(["bb refs/heads/a", "bb refs/heads/b"]);
    writeFileSync(`${directory}/reftable/merged.ref`, writeReftable([id("refs/heads/c", A)]));
    writeFileSync(`${directory}/reftable/tables.list`, "merged.ref\n");
    expect(shown(await listAll(store))).toEqual(["aa refs/heads/c"]);
    expect((await store.get("refs/heads/a")) ?? "gone").toBe("gone");
  });

  it("goes on with the stack that a listing began with", async () => {
    const directory = temporaryDirectory("snapshot");
    const many = Array.from({ length: 20_000 }, (_, i) => id(`refs/heads/${String(i).padStart(6, "0")}`, A));
    writeReftableStack(directory, [writeReftable(many)]);
    const store = storeAt(directory);
    let count = 0;
    for await (const batch of store.list()) {
      if (count === 0) {
        rmSync(`${directory}/reftable`, { recursive: true });
        mkdirSync(`${directory}/reftable`);
        writeFileSync(`${directory}/reftable/new.ref`, writeReftable([id("refs/heads/new", B)]));
        writeFileSync(`${directory}/reftable/tables.list`, "new.ref\n");
      }
      count += batch.length;
    }
    expect(count).toBe(20_000);
    expect(shown(await listAll(store))).toEqual(["bb refs/heads/new"]);
  });

  it("gives one state or another while tables are merged and removed", async () => {
    const directory = temporaryDirectory("race");
    const stack = `${directory}/reftable`;
    mkdirSync(stack);
    const names = Array.from({ length: 300 }, (_, i) => `refs/heads/${String(i).padStart(4, "0")}`);
    const publish = (name: string, lines: string) => {
      writeFileSync(`${stack}/tables.list.lock`, lines);
      renameSync(`${stack}/tables.list.lock`, `${stack}/tables.list`);
      return name;
    };
    const tableOf = (round: number) =>
      writeReftable(names.map((name) => id(name, round.toString(16).padStart(40, "0"))));
    writeFileSync(`${stack}/0.ref`, tableOf(0));
    publish("0.ref", "0.ref\n");
    let ended = false;
    const writer = (async () => {
      for (let round = 1; !ended; round++) {
        // A younger table, then one merged from both, and the old ones gone at once.
        writeFileSync(`${stack}/${round}.ref`, tableOf(round));
        publish(`${round}.ref`, `${round - 1 === 0 ? "0" : `m${round - 1}`}.ref\n${round}.ref\n`);
        await wait(0);
        writeFileSync(`${stack}/m${round}.ref`, tableOf(round));
        publish(`m${round}.ref`, `m${round}.ref\n`);
        rmSync(`${stack}/${round}.ref`);
        rmSync(`${stack}/${round - 1 === 0 ? "0" : `m${round - 1}`}.ref`);
        await wait(0);
      }
    })();
    // Nothing is remembered, so that every read opens files.
    const store = storeAt(directory, directory, new PageCache(0));
    const states = new Set<string>();
    for (let i = 0; i < 60; i++) {
      const targets = new Set((await listAll(store)).map(({ target }) => JSON.stringify(target)));
      expect(targets.size).toBe(1);
      states.add([...targets].join());
      expect(await store.get("refs/heads/0042")).toBeDefined();
    }
    ended = true;
    await writer;
    expect(states.size).toBeGreaterThan(3);
  });

  it.each([
    ["a table that is missing", "gone.ref\n", /could not be read/, "refs/unavailable"],
    ["a path in the list", "../config\n", /no name of a table/, "refs/malformed"],
    ["too many tables", "x.ref\n".repeat(513), /more than 512/, "refs/malformed"],
    ["a list that is too long", "x".repeat((1 << 20) + 1), /too-large/, "refs/malformed"],
    ["a table that is none", "tables.list\n", /broken reftable/, "refs/malformed"],
  ])("says what is wrong: %s", async (_, list, message, code) => {
    const directory = temporaryDirectory("broken");
    writeReftableStack(directory, []);
    writeFileSync(`${directory}/reftable/tables.list`, list);
    const store = storeAt(directory);
    for (const attempt of [() => listAll(store), () => store.get("HEAD")])
      await expect(attempt()).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });

  it("leaves no file open", async () => {
    const directory = temporaryDirectory("files");
    const many = Array.from({ length: 20_000 }, (_, i) => id(`refs/heads/${String(i).padStart(6, "0")}`, A));
    writeReftableStack(directory, [writeReftable(many)]);
    const store = storeAt(directory, directory, new PageCache(0));
    for await (const batch of store.list()) if (batch.length > 0) break;
    await listAll(store, ["refs/heads/0001"]);
    await store.get("refs/heads/000100");
    expect(openFilesBelow(directory)).toEqual([]);
  });

  it("reads a repository whose refs lie elsewhere", async () => {
    const directory = `${temporaryDirectory("uri")}/r.git`;
    await git(["init", "-q", "--bare", directory]);
    const elsewhere = temporaryDirectory("elsewhere");
    writeReftableStack(elsewhere, [writeReftable([id("refs/heads/far", A)])]);
    await git(["config", "core.repositoryFormatVersion", "1"], { cwd: directory });
    await git(["config", "extensions.refStorage", `reftable://${elsewhere}`], { cwd: directory });
    expect(shown(await listAll(await openRefs(directory)))).toEqual(["aa refs/heads/far"]);
    mkdirSync(`${elsewhere}/refs/heads`, { recursive: true });
    writeFileSync(`${elsewhere}/refs/heads/file`, `${B}\n`);
    writeFileSync(`${elsewhere}/HEAD`, "ref: refs/heads/file\n");
    writeFileSync(
      `${directory}/config`,
      readFileSync(`${directory}/config`, "utf8").replace("reftable://", "files://"),
    );
    const files = await openRefs(directory);
    expect(shown(await listAll(files))).toEqual(["bb refs/heads/file"]);
    expect((await files.get("HEAD"))?.target).toMatchObject({ name: "refs/heads/file" });
  });
});
