import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { git } from "@tooling/test-kit";
import type { ObjectFormat, ObjectId, Quarantine, ReceivedObject } from "@x/objects";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createWorkerPool, type WorkerPool } from "../src/index.ts";
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
  pool = createWorkerPool({ heavyWorkers: 1 });
});
afterAll(() => pool.close());

const limits = {};

async function listed(quarantine: Quarantine): Promise<ReceivedObject[]> {
  const all: ReceivedObject[] = [];
  for await (const batch of quarantine.received?.() ?? []) all.push(...batch);
  return all;
}

/** The quarantine's directory below `directory`. */
function quarantineOf(directory: string): string {
  const objects = join(directory, "objects");
  const [name = ""] = readdirSync(objects).filter((entry) => entry.startsWith("tmp_objdir-incoming-"));
  return join(objects, name);
}

async function commit(made: MadeRepository, parent: string, text: string): Promise<ObjectId> {
  const run = (args: string[], input: string) => git(args, { cwd: made.directory, input });
  const blob = await run(["hash-object", "-w", "--stdin"], text);
  const tree = await run(["mktree"], `100644 blob ${blob}\tfile\n`);
  return (await run(["commit-tree", tree, "-p", parent], "more\n")) as ObjectId;
}

describe.each<ObjectFormat>(["sha1", "sha256"])("what lies in a quarantine, %s", (format) => {
  let made: MadeRepository;
  let last: ObjectId;
  let tip: ObjectId;

  beforeAll(async () => {
    made = await makeRepository(format, 40);
    const text = Array.from({ length: 300 }, (_, i) => `line ${i} of a file that changes little\n`).join("");
    last = await commit(made, made.commits.at(-1) as string, text);
    tip = await commit(made, last, `${text}and one more\n`);
  });

  /** A repository that has all but the latest commit, and a quarantine in it. */
  async function receiving() {
    const repository = await emptyRepository(format);
    await git(["index-pack", "--stdin"], {
      cwd: repository.directory,
      input: await gitPack(made.directory, [last]),
    });
    await repository.git("update-ref", "refs/heads/main", last);
    const store = storeOf(pool, repository);
    return { ...repository, store, quarantine: await store.receive() };
  }

  it.each(["--delta-base-offset", "--no-reuse-delta"])(
    "is listed in the order of the packs, with type and size, %s",
    async (flag) => {
      const { directory, quarantine } = await receiving();
      const thin = await gitPack(made.directory, [tip, `^${last}`], "--thin", flag);
      const { objects } = await quarantine.takePack(inPieces(thin, 5000), { limits });
      expect(objects).toBe(3);
      const whole = await quarantine.takePack(inPieces(await gitPack(made.directory, ["v1", "v2"])), {
        limits,
      });
      const received = await listed(quarantine);
      expect(received).toHaveLength(objects + whole.objects);
      const input = received.map(({ id }) => `${id}\n`).join("");
      const said = await git(["cat-file", "--batch-check"], { cwd: made.directory, input });
      expect(received.map(({ id, type, size }) => `${id} ${type} ${size}`)).toEqual(said.split("\n"));
      // Whatever completes a thin pack stands behind what came. Small packs lie there for programs only.
      expect(quarantine.environment).toBeDefined();
      const packs = join(quarantineOf(directory), "pack");
      const inPackOrder = readdirSync(packs)
        .filter((name) => name.endsWith(".idx"))
        .map((name) =>
          execFileSync("git", ["show-index", `--object-format=${format}`], {
            input: readFileSync(join(packs, name)),
            encoding: "utf8",
          })
            .trim()
            .split("\n")
            .map((line) => line.split(" ") as [string, string])
            .sort(([a], [b]) => Number(a) - Number(b))
            .map(([, id]) => id),
        );
      const first = inPackOrder.find((ids) => ids.length < 10) as string[];
      expect(first.length).toBeGreaterThan(objects);
      expect(received.slice(0, objects).map(({ id }) => id)).toEqual(first.slice(0, objects));
      expect(received.slice(objects).map(({ id }) => id)).toEqual(inPackOrder.find((ids) => ids !== first));
      await quarantine.discard();
    },
  );

  it("stops being listed when nobody reads on", async () => {
    const { quarantine } = await receiving();
    await quarantine.takePack(inPieces(await gitPack(made.directory, [tip])), { limits });
    for await (const batch of quarantine.received?.() ?? []) {
      expect(batch.length).toBeGreaterThan(0);
      break;
    }
    await expect.poll(() => pool.running().every((thread) => thread.jobs === 0)).toBe(true);
    await quarantine.discard();
  });

  it("is seen by git's own programs, which may move no ref to it", async () => {
    const { directory, quarantine } = await receiving();
    const thin = await gitPack(made.directory, [tip, `^${last}`], "--thin");
    await quarantine.takePack(inPieces(thin), { limits });
    const env = Object.fromEntries(quarantine.environment ?? []);
    expect(env.GIT_QUARANTINE_PATH).toBe(quarantineOf(directory));
    const run = (...args: string[]) =>
      execFileSync("git", args, {
        cwd: directory,
        env: { ...process.env, ...env },
        encoding: "utf8",
        stdio: "pipe",
      }).trim();
    expect(run("cat-file", "-t", tip)).toBe("commit");
    expect(run("rev-list", "--count", "--objects", tip)).toBe(
      await made.git("rev-list", "--count", "--objects", tip),
    );
    expect(() => run("update-ref", "refs/heads/x", tip)).toThrow(/quarantine/);
    await quarantine.discard();
    expect(quarantine.environment).toBeUndefined();
  });

  it("is seen where a path has to be quoted", async () => {
    const { directory, git: run } = await emptyRepository(format);
    await run("symbolic-ref", "HEAD", "refs/heads/main");
    const odd = `${directory}:"ä\t\\.git`;
    renameSync(directory, odd);
    const stored = await git(["hash-object", "-w", "--stdin"], { cwd: odd, input: "in the store\n" });
    const quarantine = await storeOf(pool, { directory: odd, format }).receive();
    expect(quarantine.environment?.get("GIT_ALTERNATE_OBJECT_DIRECTORIES")).toMatch(
      /^".*:\\"\\303\\244\\t\\\\\.git\/objects"$/,
    );
    const env = { ...process.env, ...Object.fromEntries(quarantine.environment ?? []) };
    const type = execFileSync("git", ["cat-file", "-t", stored], { cwd: odd, env, encoding: "utf8" });
    expect(type).toBe("blob\n");
    await quarantine.discard();
  });

  it("takes single objects in, and publishes them with the rest", async () => {
    const { directory, store, quarantine, git: run } = await receiving();
    const data = new TextEncoder().encode("a certificate\n");
    await quarantine.takePack(inPieces(await gitPack(made.directory, [tip])), { limits });
    const id = (await quarantine.writeObject?.("blob", data)) as ObjectId;
    expect(id).toBe(await git(["hash-object", "--stdin"], { cwd: directory, input: data }));
    expect(await quarantine.read(id)).toEqual({ type: "blob", data });
    expect(await store.has([id])).toEqual([false]);
    await quarantine.publish();
    expect(await store.has([id, tip])).toEqual([true, true]);
    expect(await run("cat-file", "blob", id)).toBe("a certificate");
    await quarantine.discard();
    const again = await store.receive();
    expect(await again.writeObject?.("blob", data)).toBe(id);
    await again.publish();
    await again.discard();
    expect(await run("fsck", "--strict", "--no-dangling")).toBe("");
  });

  it("leaves nothing of single objects that are given up", async () => {
    const { directory, store, quarantine } = await receiving();
    const id = (await quarantine.writeObject?.("blob", new Uint8Array(5))) as ObjectId;
    await quarantine.discard();
    expect(await store.has([id])).toEqual([false]);
    expect(readdirSync(join(directory, "objects")).sort()).toEqual(["info", "pack"]);
  });
});
