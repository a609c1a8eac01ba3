import { randomBytes } from "node:crypto";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { git } from "@tooling/test-kit";
import type { ObjectFormat, ObjectId } from "@x/objects";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createWorkerPool, type WorkerPool } from "../src/index.ts";
import { MAX_HELD_PACK_BYTES } from "../src/worker/growing-pack.ts";
import {
  emptyRepository,
  gitPack,
  inPieces,
  type MadeRepository,
  makeRepository,
  storeOf,
} from "./made-repository.ts";

let pool: WorkerPool;
beforeAll(() => {
  pool = createWorkerPool({ heavyWorkers: 2 });
});
afterAll(() => pool.close());

const limits = {};

describe.each<ObjectFormat>(["sha1", "sha256"])("packs that are held in memory, %s", (format) => {
  let made: MadeRepository;
  let tip: ObjectId;
  let large: ObjectId;

  beforeAll(async () => {
    made = await makeRepository(format, 10);
    tip = made.commits.at(-1) as ObjectId;
    const run = (args: string[], input: string | Uint8Array) => git(args, { cwd: made.directory, input });
    const noise = randomBytes(MAX_HELD_PACK_BYTES + 1);
    const blob = await run(["hash-object", "-w", "--stdin"], noise);
    const tree = await run(["mktree"], `100644 blob ${blob}\tnoise\n`);
    large = (await run(["commit-tree", tree, "-p", tip], "noise\n")) as ObjectId;
  });

  async function receiving() {
    const repository = await emptyRepository(format);
    const store = storeOf(pool, repository);
    return { ...repository, store, quarantine: await store.receive() };
  }

  const incoming = (directory: string) =>
    readdirSync(join(directory, "objects")).filter((name) => name.startsWith("tmp_"));
  const packs = (directory: string) =>
    existsSync(join(directory, "objects/pack")) ? readdirSync(join(directory, "objects/pack")) : [];

  it("lie on no disk until they are published", async () => {
    const { directory, quarantine, store, git: run } = await receiving();
    await quarantine.takePack(inPieces(await gitPack(made.directory, [tip]), 999), { limits });
    expect(await quarantine.unconnected([tip], [])).toEqual([]);
    expect(await quarantine.headers([tip])).toEqual([expect.objectContaining({ type: "commit" })]);
    expect((await quarantine.read(tip))?.type).toBe("commit");
    expect(await quarantine.isAncestor(made.commits[0] as ObjectId, tip)).toBe(true);
    expect([...incoming(directory), ...packs(directory)]).toEqual([]);
    await quarantine.publish();
    expect(await store.has([tip])).toEqual([true]);
    await quarantine.discard();
    expect(incoming(directory)).toEqual([]);
    expect(
      packs(directory)
        .map((name) => name.replace(/.*\./, "."))
        .sort(),
    ).toEqual([".idx", ".pack", ".rev"]);
    await run("fsck", "--strict", "--no-dangling", tip);
  });

  it("go to disk while they come in when they are large", async () => {
    const { directory, quarantine, store, git: run } = await receiving();
    await quarantine.takePack(inPieces(await gitPack(made.directory, [large])), { limits });
    expect(incoming(directory)).toHaveLength(1);
    expect(await quarantine.headers([large])).toEqual([expect.objectContaining({ type: "commit" })]);
    expect(await quarantine.unconnected([large], [])).toEqual([]);
    await quarantine.publish();
    await quarantine.discard();
    expect(incoming(directory)).toEqual([]);
    expect(await store.has([large])).toEqual([true]);
    await run("fsck", "--strict", "--no-dangling", large);
  });

  it("and large ones are seen together, and published together", async () => {
    const { directory, quarantine, git: run } = await receiving();
    const rest = await gitPack(made.directory, [large, `^${tip}`], "--thin");
    await quarantine.takePack(inPieces(await gitPack(made.directory, [tip])), { limits });
    await quarantine.takePack(inPieces(rest), { limits });
    expect(await quarantine.unconnected([large], [])).toEqual([]);
    expect(await quarantine.isAncestor(tip, large)).toBe(true);
    await quarantine.publish();
    await quarantine.discard();
    expect(packs(directory).filter((name) => name.endsWith(".pack"))).toHaveLength(2);
    await run("fsck", "--strict", "--no-dangling", large);
  });

  it("are gone with their quarantine", async () => {
    const { directory, quarantine, store } = await receiving();
    await quarantine.takePack(inPieces(await gitPack(made.directory, [tip])), { limits });
    await quarantine.discard();
    expect(await store.has([tip])).toEqual([false]);
    expect([...incoming(directory), ...packs(directory)]).toEqual([]);
    await expect(quarantine.publish()).rejects.toThrow(/is gone/);
  });

  it("are published though programs were shown them", async () => {
    const { directory, quarantine, git: run } = await receiving();
    await quarantine.takePack(inPieces(await gitPack(made.directory, [tip])), { limits });
    expect(quarantine.environment?.get("GIT_QUARANTINE_PATH")).toContain("tmp_objdir-incoming-");
    expect(incoming(directory)).toHaveLength(1);
    await quarantine.publish();
    await quarantine.discard();
    expect(incoming(directory)).toEqual([]);
    expect(
      packs(directory)
        .map((name) => name.replace(/.*\./, "."))
        .sort(),
    ).toEqual([".idx", ".pack", ".rev"]);
    await run("fsck", "--strict", "--no-dangling", tip);
  });
});
