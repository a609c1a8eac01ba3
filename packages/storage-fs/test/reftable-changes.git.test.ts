import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, unlinkSync, writeFileSync } from "node:fs";
import { git, writeReftable, writeReftableStack } from "@tooling/test-kit";
import type { ObjectFormat } from "@x/objects";
import { createNodeZlibCodec } from "@x/pack/node";
import { decodeReftableLogValue, logFromReftables, type RefEdit, type ReftableLogValue } from "@x/refs";
import { describe, expect, it } from "vitest";
import { createFileConfig } from "../src/config/repository-config.ts";
import { toBytePath } from "../src/disk/byte-path.ts";
import { lockFile } from "../src/disk/lock-file.ts";
import { Journal } from "../src/journal/journal.ts";
import { ownProcessName } from "../src/journal/process-name.ts";
import { PageCache } from "../src/refs/page-cache.ts";
import { ReftableFiles } from "../src/reftable/reftable-files.ts";
import { createReftableRefs, type ReftableRefs } from "../src/reftable/reftable-refs.ts";
import { reftableSettings } from "../src/reftable/reftable-settings.ts";
import type { PeelObjects } from "../src/reftable/reftable-transaction.ts";
import { deadProcessName, handOver, journalOf, withField } from "./dead-process.ts";
import { openRefs } from "./open-refs.ts";
import {
  create,
  emptyOf,
  freshStateOf,
  idOf,
  leftoversIn,
  reasons,
  remove,
  stateOf,
  update,
} from "./ref-kinds.ts";

const zlib = createNodeZlibCodec();
const [a, b, c] = [idOf("a"), idOf("b"), idOf("c")];
const reflog = { committer: "A Pusher <pusher@example.com>", message: "push\n  twice" };
const logged = { atomic: true, reflog } as const;
const together = { atomic: true } as const;

function storeAt(
  directory: string,
  options: {
    readonly own?: string;
    readonly config?: Readonly<Record<string, string>>;
    readonly bare?: boolean;
    readonly peel?: PeelObjects;
    readonly warnings?: string[];
  } = {},
): ReftableRefs {
  const entries = Object.entries(options.config ?? {}).map(([key, value]) => ({ key, value }));
  return createReftableRefs({
    directories: { own: options.own ?? directory, common: directory },
    objectFormat: "sha1",
    config: createFileConfig(entries as never),
    bare: options.bare ?? true,
    cache: new PageCache(1 << 20),
    peel: options.peel,
    onWarning: (text) => options.warnings?.push(text),
  });
}

/** The log of `name`, the latest entry first. */
async function logOf(
  directory: string,
  name: string,
  format: ObjectFormat = "sha1",
): Promise<ReftableLogValue[]> {
  const stack = new ReftableFiles(toBytePath(`${directory}/reftable`), format, new PageCache(1 << 20));
  const snapshot = await stack.snapshot();
  try {
    const values: ReftableLogValue[] = [];
    for await (const { value } of logFromReftables(snapshot.tables, name, zlib))
      values.push(decodeReftableLogValue(value, format));
    return values;
  } finally {
    await snapshot.release();
  }
}

const tablesOf = (directory: string) =>
  readFileSync(`${directory}/reftable/tables.list`, "latin1").split("\n").filter(Boolean);
const filesOf = (directory: string) =>
  readdirSync(`${directory}/reftable`).filter((name) => name !== "tables.list");

/** What a test's edits are pushed one by one. */
async function pushEach(refs: ReftableRefs, edits: readonly RefEdit[]): Promise<void> {
  for (const edit of edits) expect(reasons(await refs.transact([edit], together))).toEqual(["ok"]);
}

describe("a change of reftables", () => {
  it("keeps with a tag what it peels to, and asks for no branch", async () => {
    const directory = await emptyOf("reftable");
    const asked: string[] = [];
    const refs = storeAt(directory, {
      peel: async (ids) => {
        asked.push(...ids);
        return ids.map((id) => (id === b ? undefined : { id: id === a ? c : id }));
      },
    });
    const edits = [
      create("refs/heads/main", idOf("d")),
      create("refs/tags/annotated", a),
      create("refs/tags/light", c),
      create("refs/tags/missing", b),
    ];
    await refs.transact(edits, together);
    expect(asked).toEqual([a, c, b]);
    expect((await refs.get("refs/tags/annotated"))?.peeled).toBe(c);
    expect((await refs.get("refs/tags/light"))?.peeled).toBeNull();
    expect((await refs.get("refs/heads/main"))?.peeled).toBeNull();
  });

  it("is one table, with the next index, and its name is as git names them", async () => {
    const directory = await emptyOf("reftable");
    const refs = storeAt(directory, { config: { "reftable.geometricfactor": "1" } });
    const before = tablesOf(directory);
    await refs.transact(
      Array.from({ length: 500 }, (_, i) => create(`refs/heads/b${i}`, a)),
      together,
    );
    const first = tablesOf(directory);
    await refs.transact([create("refs/heads/x", a), remove("refs/heads/b7", a)], together);
    expect(Object.keys(await stateOf(refs))).toHaveLength(500);
    // The first was merged with what was there, since it is larger.
    expect(before).toHaveLength(1);
    expect(first).toEqual([expect.stringMatching(/^0x000000000001-0x000000000002-[0-9a-f]{8}\.ref$/)]);
    expect(tablesOf(directory)).toEqual([
      first[0],
      expect.stringMatching(/^0x000000000003-0x000000000003-[0-9a-f]{8}\.ref$/),
    ]);
    expect(filesOf(directory).sort()).toEqual([...tablesOf(directory)].sort());
  });

  it("overwrites a symbolic ref only when anything will do", async () => {
    const directory = await emptyOf("reftable");
    writeReftableStack(directory, [
      writeReftable([
        { name: "HEAD", value: { symbolic: "refs/heads/main" } },
        { name: "refs/heads/alias", value: { symbolic: "refs/heads/main" } },
        { name: "refs/heads/main", value: { id: c } },
      ]),
    ]);
    const refs = storeAt(directory);
    const alias = "refs/heads/alias";
    for (const [edit, reason] of [
      [update(alias, c, a), "stale"],
      [create(alias, a), "exists"],
      [remove(alias, c), "stale"],
      [update(alias, "any", b), "ok"],
    ] as const)
      expect(reasons(await refs.transact([edit], together))).toEqual([reason]);
    expect(await stateOf(refs)).toEqual({ [alias]: b, "refs/heads/main": c });
  });

  it("goes by the size of blocks that the config asks for", async () => {
    const directory = await emptyOf("reftable");
    const warnings: string[] = [];
    const refs = storeAt(directory, { config: { "reftable.blocksize": "256" }, warnings });
    const long = `refs/heads/${"x".repeat(200)}`;
    const edits = [create(long, a), create("refs/heads/ok", a)];
    expect(reasons(await refs.transact(edits, { atomic: false }))).toEqual(["locked", "ok"]);
    expect(warnings).toEqual([]);
    expect(
      readFileSync(`${directory}/reftable/${tablesOf(directory).at(-1)}`).readUInt32BE(4) & 0xffffff,
    ).toBe(256);
  });
});

describe("logs in reftables", () => {
  it("are written where git writes them, HEAD's too", async () => {
    const directory = await emptyOf("reftable");
    const refs = storeAt(directory, { bare: false });
    await refs.transact([create("refs/heads/main", a), create("refs/tags/t", b)], logged);
    await refs.transact([update("refs/heads/main", a, b), create("refs/heads/x", c)], logged);
    const zero = "0".repeat(40);
    const who = { name: "A Pusher", mail: "pusher@example.com", message: "push twice\n" };
    for (const name of ["refs/heads/main", "HEAD"])
      expect(await logOf(directory, name)).toMatchObject([
        { ...who, from: a, to: b },
        { ...who, from: zero, to: a },
      ]);
    expect(await logOf(directory, "refs/tags/t")).toEqual([]);
    const [entry] = await logOf(directory, "refs/heads/x");
    expect(Math.abs((entry?.time ?? 0) - Date.now() / 1000)).toBeLessThan(60);
    expect(entry?.zone).toBe(zoneNow() + 0);
    await refs.transact([remove("refs/heads/main", b)], logged);
    expect(await logOf(directory, "refs/heads/main")).toEqual([]);
    expect(await logOf(directory, "HEAD")).toMatchObject([{ from: b, to: zero }, {}, {}]);
  });

  it("are none in a bare repository, but those that are there go on; all of them if wanted", async () => {
    const directory = await emptyOf("reftable");
    await storeAt(directory, { bare: false }).transact([create("refs/heads/old", a)], logged);
    const refs = storeAt(directory);
    await refs.transact([update("refs/heads/old", a, b), create("refs/heads/new", b)], logged);
    expect(await logOf(directory, "refs/heads/old")).toHaveLength(2);
    expect(await logOf(directory, "refs/heads/new")).toEqual([]);
    const always = storeAt(directory, { config: { "core.logallrefupdates": "always" } });
    await always.transact([create("refs/tags/t", b)], logged);
    expect(await logOf(directory, "refs/tags/t")).toHaveLength(1);
  });

  it("are cut to what a block holds, and never stop a change", async () => {
    const directory = await emptyOf("reftable");
    const warnings: string[] = [];
    const refs = storeAt(directory, { bare: false, config: { "reftable.blocksize": "300" }, warnings });
    const message = "m".repeat(1000);
    const name = `refs/heads/${"x".repeat(60)}`;
    await refs.transact([create(name, a)], { atomic: true, reflog: { ...reflog, message } });
    const [entry] = await logOf(directory, name);
    expect(entry?.message).toMatch(/^m{20,150}\n$/);
    const long = `refs/heads/${"x".repeat(180)}`;
    expect(reasons(await refs.transact([create(long, a)], logged))).toEqual(["ok"]);
    expect(await logOf(directory, long)).toEqual([]);
    expect(warnings).toEqual([expect.stringContaining("does not fit")]);
  });
});

function zoneNow(): number {
  const minutes = -new Date().getTimezoneOffset();
  return Math.sign(minutes) * (Math.floor(Math.abs(minutes) / 60) * 100 + (Math.abs(minutes) % 60));
}

describe("the stack of a work tree", () => {
  it("takes its own refs, and the log of its HEAD", async () => {
    const directory = await emptyOf("reftable");
    const own = `${directory}/worktrees/wt`;
    mkdirSync(own, { recursive: true });
    writeReftableStack(own, [writeReftable([{ name: "HEAD", value: { symbolic: "refs/heads/wt" } }])]);
    const refs = storeAt(directory, { own, bare: false });
    const edits = [create("refs/heads/wt", a), create("refs/bisect/bad", b)];
    expect(reasons(await refs.transact(edits, logged))).toEqual(["ok", "ok"]);
    expect(reasons(await refs.transact([update("refs/heads/wt", a, c)], logged))).toEqual(["ok"]);
    expect(await logOf(own, "HEAD")).toHaveLength(2);
    expect(await logOf(directory, "HEAD")).toEqual([]);
    expect(await stateOf(storeAt(directory))).toEqual({ "refs/heads/wt": c });
    expect(await stateOf(refs)).toEqual({ "refs/bisect/bad": b, "refs/heads/wt": c });
    expect(leftoversIn(directory)).toEqual([]);
  });
});

describe("the lock of a stack", () => {
  it("of somebody else's is waited for, and left alone", async () => {
    const directory = await emptyOf("reftable");
    const refs = storeAt(directory, { config: { "reftable.locktimeout": "400" } });
    const lock = `${directory}/reftable/tables.list.lock`;
    writeFileSync(lock, "");
    const edits = [create("refs/heads/x", a), create("refs/heads/y", a)];
    expect(reasons(await refs.transact(edits, { atomic: false }))).toEqual(["locked", "locked"]);
    expect(existsSync(lock)).toBe(true);
    setTimeout(() => unlinkSync(lock), 100);
    expect(reasons(await refs.transact(edits, { atomic: false }))).toEqual(["ok", "ok"]);
  });

  it("that a dead process left goes, and what it had half written", async () => {
    const directory = await emptyOf("reftable");
    const dead = await deadProcessName();
    const refs = await openRefs(directory);
    const path = toBytePath(`${directory}/reftable/tables.list`);
    const draft = await new Journal(toBytePath(directory), true).draft(path, new Uint8Array());
    expect(await lockFile(path, { timeoutMs: 0, draft })).toBeDefined();
    const orphan = "0x000000000002-0x000000000002-12345678.ref";
    writeFileSync(`${directory}/reftable/${orphan}`, "half of a table");
    writeFileSync(`${directory}/reftable/${orphan}.temp.${dead}`, "less");
    expect(reasons(await refs.transact([create("refs/heads/x", a)], together))).toEqual(["locked"]);
    handOver(directory, dead);
    await openRefs(directory);
    expect(existsSync(`${directory}/reftable/tables.list.lock`)).toBe(false);
    expect(journalOf(directory)).toEqual([]);
    for (const name of ["x", "y", "z"])
      expect(reasons(await refs.transact([create(`refs/heads/${name}`, a)], together))).toEqual(["ok"]);
    expect(filesOf(directory).sort()).toEqual([...tablesOf(directory)].sort());
    expect(Object.keys(await freshStateOf(directory))).toHaveLength(3);
  });
});

describe("merging tables", () => {
  it("keeps them few, and all that they say", async () => {
    const directory = await emptyOf("reftable");
    const refs = storeAt(directory, { bare: false });
    for (let i = 0; i < 60; i++) await refs.transact([create(`refs/heads/b${i}`, a)], logged);
    for (let i = 0; i < 60; i += 2) await refs.transact([remove(`refs/heads/b${i}`, a)], logged);
    expect(tablesOf(directory).length).toBeLessThan(9);
    expect(filesOf(directory).sort()).toEqual([...tablesOf(directory)].sort());
    expect(Object.keys(await freshStateOf(directory))).toHaveLength(30);
    expect(await logOf(directory, "refs/heads/b31")).toHaveLength(1);
    expect(await logOf(directory, "refs/heads/b30")).toEqual([]);
    expect(leftoversIn(directory)).toEqual([]);
  });

  it("leaves alone what somebody else is merging, and stops no change", async () => {
    const directory = await emptyOf("reftable");
    const refs = storeAt(directory);
    const [first = ""] = tablesOf(directory);
    writeFileSync(`${directory}/reftable/${first}.lock`, "");
    await pushEach(
      refs,
      ["v", "w", "x", "y", "z"].map((name) => create(`refs/heads/${name}`, a)),
    );
    expect(tablesOf(directory)[0]).toBe(first);
    expect(tablesOf(directory).length).toBeLessThan(5);
    expect(existsSync(`${directory}/reftable/${first}.lock`)).toBe(true);
    rmSync(`${directory}/reftable/${first}.lock`);
    await pushEach(refs, [update("refs/heads/v", a, b)]);
    expect(tablesOf(directory)).not.toContain(first);
    expect(Object.keys(await stateOf(refs))).toEqual(
      ["v", "w", "x", "y", "z"].map((name) => `refs/heads/${name}`),
    );
  });

  it("that fails is warned of", async () => {
    const directory = await emptyOf("reftable");
    const small = writeReftable([{ name: "refs/heads/ok", value: { id: a } }], { updateIndex: 1 });
    const broken = writeReftable([{ name: "refs/heads/v", value: { id: a } }], {
      updateIndex: 2,
      logs: ["refs/heads/v"],
    });
    // Bytes of the compressed log, which nobody reads who only looks for refs.
    broken.fill(0xee, broken.length - 68 - 40, broken.length - 68 - 20);
    writeReftableStack(directory, [small, broken]);
    const warnings: string[] = [];
    const refs = storeAt(directory, { warnings });
    await pushEach(refs, [create("refs/heads/x", b)]);
    expect(warnings).toEqual([expect.stringMatching(/^reftables could not be merged: broken reftable/)]);
    expect(Object.keys(await stateOf(refs))).toEqual(["refs/heads/ok", "refs/heads/v", "refs/heads/x"]);
    expect(leftoversIn(directory)).toEqual([]);
  });

  it("does not touch what a living process writes, or tables of a time to come", async () => {
    const directory = await emptyOf("reftable");
    const own = await ownProcessName();
    const names = [
      `0x000000000001-0x000000000002-00000001.ref.temp.${own}`,
      `0x000000000001-0x000000000002-00000001.ref.temp.${withField(own, "machine", "abc")}`,
      "0x000000000fff-0x000000000fff-00000001.ref",
      "something else",
    ];
    for (const name of names) writeFileSync(`${directory}/reftable/${name}`, "");
    writeFileSync(`${directory}/reftable/0x000000000001-0x000000000001-00000009.ref`, "");
    const refs = storeAt(directory);
    await pushEach(refs, [create("refs/heads/v", a), create("refs/heads/w", a)]);
    expect(filesOf(directory).sort()).toEqual([...tablesOf(directory), ...names].sort());
  });
});

describe("reftableSettings", () => {
  const settings = (config: Readonly<Record<string, string>>) =>
    reftableSettings(
      createFileConfig(Object.entries(config).map(([key, value]) => ({ key, value })) as never),
      "sha1",
    );

  it("are git's where nothing, or nothing possible, is said", () => {
    const usual = {
      shape: { format: "sha1", blockSize: 4096, restartInterval: 16, indexObjects: true },
      geometricFactor: 2,
      lockTimeoutMs: 100,
    };
    expect(settings({})).toEqual(usual);
    expect(
      settings({
        "reftable.blocksize": "16m",
        "reftable.restartinterval": "65536",
        "reftable.geometricfactor": "256",
        "reftable.locktimeout": "-2",
      }),
    ).toEqual(usual);
    expect(settings({ "reftable.blocksize": "0", "reftable.indexobjects": "" })).toMatchObject({
      shape: { blockSize: 4096, indexObjects: false },
    });
  });

  it("are what the config says", () => {
    expect(
      settings({
        "reftable.blocksize": "8k",
        "reftable.restartinterval": "4",
        "reftable.geometricfactor": "3",
        "reftable.locktimeout": "-1",
      }),
    ).toEqual({
      shape: { format: "sha1", blockSize: 8192, restartInterval: 4, indexObjects: true },
      geometricFactor: 3,
      lockTimeoutMs: -1,
    });
  });
});

describe("a repository of reftables", () => {
  it("is written to in the durability that is asked for", async () => {
    for (const durability of ["full", "git", "none"] as const) {
      const directory = await emptyOf("reftable");
      const refs = createReftableRefs({
        directories: { own: directory, common: directory },
        objectFormat: "sha1",
        config: createFileConfig([]),
        bare: true,
        cache: new PageCache(1 << 20),
        durability,
      });
      await pushEach(refs, [create("refs/heads/v", a), create("refs/heads/w", a)]);
      expect(Object.keys(await freshStateOf(directory))).toEqual(["refs/heads/v", "refs/heads/w"]);
    }
  });

  it("waits for its lock as long as reftable.lockTimeout says", async () => {
    const directory = await emptyOf("reftable");
    const lock = `${directory}/reftable/tables.list.lock`;
    await git(["config", "-f", `${directory}/config`, "reftable.lockTimeout", "50"]);
    const refs = await openRefs(directory);
    writeFileSync(lock, "");
    const made = create("refs/heads/x", a);
    expect(reasons(await refs.transact([made], together))).toEqual(["locked"]);
    expect(existsSync(lock)).toBe(true);
    await git(["config", "-f", `${directory}/config`, "reftable.lockTimeout", "20000"]);
    setTimeout(() => unlinkSync(lock), 200);
    expect(reasons(await (await openRefs(directory)).transact([made], together))).toEqual(["ok"]);
  });

  it("may lie elsewhere", async () => {
    const directory = await emptyOf("reftable");
    const elsewhere = await emptyOf("reftable");
    const value = `reftable://${elsewhere}`;
    await git(["config", "-f", `${directory}/config`, "extensions.refStorage", value]);
    const refs = await openRefs(directory);
    expect(reasons(await refs.transact([create("refs/heads/x", a)], together))).toEqual(["ok"]);
    expect(await freshStateOf(elsewhere)).toEqual({ "refs/heads/x": a });
  });
});
