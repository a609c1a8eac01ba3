import { readdirSync, rmSync, watch, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { git, tryGit } from "@tooling/test-kit";
import type { ObjectFormat, ObjectId, Quarantine } from "@x/objects";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createFileObjectStore, createWorkerPool, type WorkerPool } from "../src/index.ts";
import { publishPacks } from "../src/quarantine/publish.ts";
import {
  emptyRepository,
  gitPack,
  inPieces,
  locationOf,
  type MadeRepository,
  makeRepository,
  storeOf,
} from "./made-repository.ts";

let pool: WorkerPool;
beforeAll(() => {
  pool = createWorkerPool({ heavyWorkers: 2 });
});
afterAll(() => pool.close());

const code = (expected: string) => expect.objectContaining({ code: expected });

/** What lies about in the object directory beside objects. */
function leftovers(directory: string): string[] {
  const objects = join(directory, "objects");
  return readdirSync(objects).filter((name) => !/^([0-9a-f]{2}|info|pack)$/.test(name));
}

const suffixes = (directory: string) => packFiles(directory).map((name) => name.slice(name.lastIndexOf(".")));

const packFiles = (directory: string) => readdirSync(join(directory, "objects/pack")).sort();

describe.each<ObjectFormat>(["sha1", "sha256"])("quarantine, %s", (format) => {
  let made: MadeRepository;
  let tip: ObjectId;
  const limits = {};

  beforeAll(async () => {
    made = await makeRepository(format, 40);
    tip = made.commits.at(-1) as ObjectId;
  });

  /** A repository that has the first `count` commits, and a quarantine in it. */
  async function receiving(count = 0) {
    const repository = await emptyRepository(format);
    if (count > 0) {
      const last = made.commits[count - 1] as string;
      const input = await gitPack(made.directory, [last]);
      await git(["index-pack", "--stdin"], { cwd: repository.directory, input });
      await repository.git("update-ref", "refs/heads/main", last);
    }
    const store = storeOf(pool, repository);
    return { ...repository, store, quarantine: await store.receive() };
  }

  it("stores few objects one by one where that is asked for", async () => {
    const [first, second] = made.commits as [ObjectId, ObjectId];
    const thin = await gitPack(made.directory, [second, `^${first}`], "--thin");
    const count = Buffer.from(thin).readUInt32BE(8);
    const { directory, quarantine, store, git: run } = await receiving(1);
    const before = packFiles(directory);
    await quarantine.takePack(inPieces(thin, 1000), { limits, unpackBelow: count + 1 });
    expect(await quarantine.unconnected([second], [first])).toEqual([]);
    await quarantine.publish();
    expect(packFiles(directory)).toEqual(before);
    expect(await run("count-objects")).toMatch(new RegExp(`^${count} objects`));
    expect(await store.has([second])).toEqual([true]);
    await run("fsck", "--strict", second);
    await quarantine.discard();
    expect(leftovers(directory)).toEqual([]);

    const other = await receiving(1);
    await other.quarantine.takePack(inPieces(thin, 1000), { limits, unpackBelow: count });
    await other.quarantine.publish();
    await other.quarantine.discard();
    expect(suffixes(other.directory).filter((suffix) => suffix === ".pack")).toHaveLength(2);
    expect(await other.git("count-objects")).toMatch(/^0 objects/);
  });

  it.each([1, 7, 1000, 65_536])("takes packs in that come in pieces of %i", async (size) => {
    const { directory, quarantine, store, git: run } = await receiving();
    const pack = await gitPack(made.directory, [tip], "--delta-base-offset");
    const receipt = await quarantine.takePack(inPieces(pack, size), { limits });
    expect(receipt).toEqual({
      objects: Buffer.from(pack).readUInt32BE(8),
      bytes: pack.length,
      trailingBytes: 0,
    });
    // Nobody else sees it yet.
    expect(await quarantine.has([tip])).toEqual([true]);
    expect(await store.has([tip])).toEqual([false]);
    expect(await quarantine.unconnected([tip], [])).toEqual([]);
    await quarantine.publish();
    expect(await store.has([tip])).toEqual([true]);
    // Until a ref leads there, C git's upkeep is to leave it alone.
    await run("repack", "-adq");
    expect(suffixes(directory)).toEqual([".idx", ".keep", ".pack", ".rev"]);
    expect(await store.has([tip])).toEqual([true]);
    await run("update-ref", "refs/heads/main", tip);
    await quarantine.discard();
    expect(leftovers(directory)).toEqual([]);
    expect(suffixes(directory)).toEqual([".idx", ".pack", ".rev"]);
    expect(await run("fsck", "--strict", "--no-dangling")).toBe("");
    const [index = ""] = packFiles(directory);
    await run("verify-pack", join(directory, "objects/pack", index));
    await run("gc", "-q");
    expect(await store.has([tip])).toEqual([true]);
  });

  it("reads what the sender writes over afterwards, from Node's own buffers too", async () => {
    const { quarantine } = await receiving();
    const pack = await gitPack(made.directory, [tip]);
    const shared = Buffer.alloc(4096);
    async function* reused(): AsyncGenerator<Uint8Array> {
      for (let at = 0; at < pack.length; at += shared.length) {
        shared.fill(0);
        shared.set(pack.subarray(at, at + shared.length));
        await sleep(0);
        yield shared.subarray(0, Math.min(shared.length, pack.length - at));
      }
    }
    await quarantine.takePack(reused(), { limits });
    expect(shared.length).toBe(4096); // it was not given away
    expect(await quarantine.unconnected([tip], [])).toEqual([]);
    await quarantine.discard();
  });

  it("completes thin packs from the store and from its alternates", async () => {
    const base = await receiving(20);
    await base.quarantine.discard();
    const thin = await gitPack(
      made.directory,
      [tip, `^${made.commits[19]}`],
      "--thin",
      "--delta-base-offset",
    );
    const borrower = await emptyRepository(format);
    writeFileSync(
      join(borrower.directory, "objects/info/alternates"),
      `${join(base.directory, "objects")}\n`,
    );
    for (const repository of [base, borrower]) {
      const quarantine = await storeOf(pool, repository).receive();
      await quarantine.takePack(inPieces(thin, 500), { limits });
      expect(await quarantine.unconnected([tip], [made.commits[19] as ObjectId])).toEqual([]);
      expect(await quarantine.isAncestor(made.commits[3] as ObjectId, tip)).toBe(true);
      await quarantine.publish();
      await repository.git("update-ref", "refs/heads/new", tip);
      await quarantine.discard();
      expect(await repository.git("fsck", "--strict", "--no-dangling")).toBe("");
    }
    const { quarantine } = await receiving();
    await expect(quarantine.takePack(inPieces(thin), { limits })).rejects.toThrow(code("objects/bad-pack"));
    await quarantine.discard();
  });

  it("leaves nothing when it is given up, whatever had come", async () => {
    const pack = await gitPack(made.directory, [tip]);
    const broken = Buffer.from(pack);
    broken[pack.length - 5] = (broken[pack.length - 5] as number) ^ 1;
    const inputs: readonly [Uint8Array, string][] = [
      [pack.subarray(0, 5), "objects/bad-pack"],
      [pack.subarray(0, pack.length - 1), "objects/bad-pack"],
      [broken, "objects/bad-pack"],
      [new Uint8Array(0), "objects/bad-pack"],
      [Buffer.from("PACK of lies, nothing else"), "objects/bad-pack"],
    ];
    const { directory, store } = await receiving(3);
    const before = packFiles(directory);
    for (const [input, expected] of inputs) {
      const quarantine = await store.receive();
      await expect(quarantine.takePack(inPieces(input, 999), { limits })).rejects.toThrow(code(expected));
      await quarantine.discard();
      await quarantine.discard();
    }
    const limited = await store.receive();
    await expect(limited.takePack(inPieces(pack), { limits: { maxPackBytes: 500 } })).rejects.toThrow(
      code("objects/limit-exceeded"),
    );
    await limited.discard();
    const whole = await store.receive();
    await whole.takePack(inPieces(pack), { limits });
    await whole.discard();
    expect(leftovers(directory)).toEqual([]);
    expect(packFiles(directory)).toEqual(before);
    expect(await store.has([tip])).toEqual([false]);
  });

  it("passes a source's failure on, and stops when it is called off", async () => {
    const { directory, store, quarantine: unused } = await receiving();
    await unused.discard();
    const pack = await gitPack(made.directory, [tip]);
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield pack.subarray(0, 100);
      await sleep(1);
      throw new Error("the line went dead");
    }
    const first = await store.receive();
    await expect(first.takePack(failing(), { limits })).rejects.toThrow("the line went dead");
    await first.discard();
    async function* endless(): AsyncGenerator<Uint8Array> {
      yield pack.subarray(0, 100);
      await new Promise(() => {});
    }
    const controller = new AbortController();
    const second = await store.receive();
    const taking = second.takePack(endless(), { limits, signal: controller.signal });
    setTimeout(() => controller.abort(), 30);
    const started = performance.now();
    await expect(taking).rejects.toThrow(expect.objectContaining({ name: "AbortError" }));
    expect(performance.now() - started).toBeLessThan(1000);
    await second.discard();
    expect(leftovers(directory)).toEqual([]);
    expect(pool.running().every((thread) => thread.jobs === 0)).toBe(true);
  });

  it("does not wait for the source to end once the pack has", async () => {
    const { quarantine } = await receiving();
    const pack = await gitPack(made.directory, [tip]);
    async function* open(): AsyncGenerator<Uint8Array> {
      yield* inPieces(pack, 3000);
      await new Promise(() => {});
    }
    expect((await quarantine.takePack(open(), { limits })).bytes).toBe(pack.length);
    await quarantine.discard();
  });

  it("keeps nothing of an empty pack", async () => {
    const { directory, quarantine } = await receiving(5);
    const before = packFiles(directory);
    const head = made.commits[4] as string;
    const receipt = await quarantine.takePack(inPieces(await gitPack(made.directory, [head, `^${head}`])), {
      limits,
    });
    expect(receipt.objects).toBe(0);
    await quarantine.publish();
    await quarantine.discard();
    expect(packFiles(directory)).toEqual(before);
    expect(leftovers(directory)).toEqual([]);
  });

  it("publishes the same pack twice", async () => {
    const { directory, store, quarantine } = await receiving();
    const pack = await gitPack(made.directory, [tip]);
    const other = await store.receive();
    for (const one of [quarantine, other]) await one.takePack(inPieces(pack), { limits });
    await Promise.all([quarantine.publish(), other.publish()]);
    await Promise.all([quarantine.discard(), other.discard()]);
    expect(packFiles(directory)).toHaveLength(3);
    expect(leftovers(directory)).toEqual([]);
    expect(await store.has([tip])).toEqual([true]);
  });

  describe("says what is not connected", () => {
    /** Takes in a pack of exactly these objects. */
    async function holding(quarantine: Quarantine, ids: readonly string[]): Promise<void> {
      const { stdout } = await tryGit(["pack-objects", "-q", "--stdout"], {
        cwd: made.directory,
        input: ids.map((id) => `${id}\n`).join(""),
      });
      await quarantine.takePack(inPieces(Buffer.from(stdout, "latin1")), { limits });
    }

    const news = async (last: string, ...known: readonly string[]) =>
      (
        await made.git("rev-list", "--objects", "--no-object-names", last, ...known.map((id) => `^${id}`))
      ).split("\n");

    it.each(["commit", "tree", "blob"])("a %s that is missing", async (type) => {
      const known = made.commits[9] as ObjectId;
      const last = made.commits[11] as ObjectId;
      const ids = await news(last, known);
      const types = await Promise.all(ids.map((id) => made.git("cat-file", "-t", id)));
      const left = ids.filter((id, i) => id !== last && types[i] === type);
      expect(left.length).toBeGreaterThan(0);
      for (const absent of left) {
        const { quarantine } = await receiving(10);
        await holding(
          quarantine,
          ids.filter((id) => id !== absent),
        );
        expect(await quarantine.unconnected([last, known], [known])).toEqual([last]);
        await quarantine.discard();
      }
      const { quarantine } = await receiving(10);
      await holding(quarantine, ids);
      expect(await quarantine.unconnected([last], [known])).toEqual([]);
      await quarantine.discard();
    });

    it("what lies about unreferenced, with something below it missing", async () => {
      const { directory, quarantine } = await receiving(10);
      // The store has commit 11 and its tree by some accident, but not what they stand on.
      const stray = made.commits[10] as ObjectId;
      const ids = [stray, await made.git("rev-parse", `${stray}^{tree}`)];
      const { stdout } = await tryGit(["pack-objects", "-q", "--stdout"], {
        cwd: made.directory,
        input: ids.map((id) => `${id}\n`).join(""),
      });
      await git(["unpack-objects", "-q"], { cwd: directory, input: Buffer.from(stdout, "latin1") });
      const last = made.commits[11] as ObjectId;
      await holding(quarantine, await news(last, stray));
      expect(await quarantine.has([stray, last])).toEqual([true, true]);
      expect(await quarantine.unconnected([last], [made.commits[9] as ObjectId])).toEqual([last]);
      await quarantine.discard();
    });

    it("tips that are not there, and tags without an end", async () => {
      const { directory, quarantine } = await receiving(10);
      const tag = await git(["hash-object", "-w", "--literally", "-t", "tag", "--stdin"], {
        cwd: directory,
        input: `object ${tip}\ntype commit\ntag x\n\n`,
      });
      const nonsense = await git(["hash-object", "-w", "--literally", "-t", "tag", "--stdin"], {
        cwd: directory,
        input: "x",
      });
      const known = made.commits[9] as ObjectId;
      const tips = [tip, tag as ObjectId, known, nonsense as ObjectId];
      expect(await quarantine.unconnected(tips, [known])).toEqual([tip, tag, nonsense]);
      // A broken ref of the repository's own does not stand in the way of others.
      expect(await quarantine.unconnected([known], [tag as ObjectId, nonsense as ObjectId, known])).toEqual(
        [],
      );
      await quarantine.discard();
    });
  });
});

describe("publishPacks", () => {
  it("brings the index last, and leaves what is there already", async () => {
    const made = await makeRepository("sha1", 10);
    const from = await emptyRepository("sha1");
    const to = await emptyRepository("sha1");
    await git(["index-pack", "--stdin"], {
      cwd: from.directory,
      input: await gitPack(made.directory, ["main"]),
    });
    const order: string[] = [];
    const watcher = watch(join(to.directory, "objects/pack"), (_, name) => {
      const suffix = name?.slice(name.lastIndexOf(".")) ?? "";
      if (!order.includes(suffix)) order.push(suffix);
    });
    for (let round = 0; round < 2; round++) {
      const { release } = await publishPacks(join(from.directory, "objects"), join(to.directory, "objects"));
      await release();
    }
    await sleep(50);
    watcher.close();
    expect(packFiles(to.directory)).toEqual(packFiles(from.directory));
    expect(order).toEqual([".keep", ".pack", ".idx"]);
    const store = createFileObjectStore(pool, locationOf(to.directory, "sha1"));
    expect(await store.has(made.commits)).toEqual(made.commits.map(() => true));
  });

  it("makes the directory where there is none", async () => {
    const made = await makeRepository("sha1", 3);
    const to = await emptyRepository("sha1");
    rmSync(join(to.directory, "objects/pack"), { recursive: true });
    const store = storeOf(pool, to);
    const quarantine = await store.receive();
    await quarantine.takePack(inPieces(await gitPack(made.directory, ["main"])), { limits: {} });
    await quarantine.publish();
    await quarantine.discard();
    expect(await store.has(made.commits)).toEqual([true, true, true]);
  });
});
