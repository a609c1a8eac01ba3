import { git, temporaryDirectory } from "@tooling/test-kit";
import type { ObjectFilter, ObjectId, PackEvent, PackLimits } from "@x/objects";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createFileObjectStore, createWorkerPool, type WorkerPool } from "../src/index.ts";
import { Job } from "../src/worker/job.ts";
import { threadCpuMs } from "../src/worker/thread-cpu.ts";
import { locationOf, type MadeRepository, makeRepository, storeOf } from "./made-repository.ts";

let pool: WorkerPool;
let made: MadeRepository;
let tip: ObjectId;
beforeAll(async () => {
  pool = createWorkerPool({ heavyWorkers: 2 });
  made = await makeRepository("sha1", 60);
  tip = made.commits.at(-1) as ObjectId;
});
afterAll(() => pool.close());

/** How far the clock of a thread may be behind. */
const TICK_MS = 5;

const PLENTY: PackLimits = { maxTreeVisits: 1_000_000, maxCpuMs: 60_000, maxPackBytes: 1_000_000_000 };

const spent = (name: string) =>
  expect.objectContaining({
    name: "ObjectsError",
    code: "objects/limit-exceeded",
    message: expect.stringContaining(name),
  });

async function eventsOf(events: AsyncIterable<PackEvent>): Promise<PackEvent[]> {
  const all: PackEvent[] = [];
  for await (const event of events) all.push(event);
  return all;
}

/** 10^10 paths in a dozen objects. */
async function treeBomb(): Promise<{ readonly directory: string; readonly tip: ObjectId }> {
  const directory = temporaryDirectory("bomb");
  await git(["init", "-q", "--bare", directory]);
  const write = async (args: readonly string[], input: string) => git(args, { cwd: directory, input });
  let below = await write(["hash-object", "-w", "--stdin"], "bomb\n");
  for (let level = 0; level < 10; level++) {
    const entry = level === 0 ? "100644 blob" : "040000 tree";
    const entries = Array.from({ length: 10 }, (_, i) => `${entry} ${below}\tf${i}\n`);
    below = await write(["mktree"], entries.join(""));
  }
  const commit = (await write(["commit-tree", below], "bomb\n")) as ObjectId;
  await write(["update-ref", "refs/heads/main", commit], "");
  await git(["repack", "-adq"], { cwd: directory });
  return { directory, tip: commit };
}

describe("a pack's limits", () => {
  it.each<readonly [string, Partial<PackLimits>]>([
    ["maxTreeVisits (20)", { maxTreeVisits: 20 }],
    ["maxPackBytes (500)", { maxPackBytes: 500 }],
    ["maxCpuMs (0 ms)", { maxCpuMs: 0 }],
  ])("%s end it", async (name, limits) => {
    // Large enough for more than one slice of a processor's time.
    const large = name.startsWith("maxCpuMs") ? await makeRepository("sha1", 2000) : made;
    const store = storeOf(pool, large);
    const wants = [large.commits.at(-1) as ObjectId];
    const request = { wants, haves: [], limits: { ...PLENTY, ...limits } };
    await expect(eventsOf(store.createPack(request))).rejects.toThrow(spent(name));
    const enough = await eventsOf(store.createPack({ ...request, limits: PLENTY }));
    expect(enough.at(-1)?.kind).toBe("summary");
  });

  it("keep a tree bomb within them while others are served", async () => {
    const bomb = await treeBomb();
    const patterns = (await git(["hash-object", "-w", "--stdin"], {
      cwd: bomb.directory,
      input: "/f0/**/f1/f2\n!**/f3/f4/**\nf*/**/f5/f6\n",
    })) as ObjectId;
    const store = createFileObjectStore(pool, locationOf(bomb.directory, "sha1"));
    const depth: ObjectFilter = { kind: "tree-depth", depth: 5 };
    const sparse: ObjectFilter = { kind: "sparse", patterns };
    const filters: readonly (readonly [ObjectFilter, number])[] = [
      [{ kind: "combine", filters: [depth, { kind: "blob-none" }] }, 6],
      [{ kind: "combine", filters: [depth, sparse] }, 6],
      [sparse, 12],
    ];
    const bombs = filters.map(async ([filter, objects]) => {
      const limits = { ...PLENTY, maxTreeVisits: 2000 };
      const events = await eventsOf(store.createPack({ wants: [bomb.tip], haves: [], filter, limits }));
      expect(events.at(-1)).toMatchObject({ kind: "summary", summary: { objects } });
    });
    const others = Array.from({ length: 5 }, async () => {
      const events = await eventsOf(storeOf(pool, made).createPack({ wants: [tip], haves: [] }));
      expect(events.at(-1)?.kind).toBe("summary");
    });
    await Promise.all([...bombs, ...others]);
    const few = { ...PLENTY, maxTreeVisits: 9 };
    // Asked for in other words: the answer to the same ones is remembered, and costs no visits.
    const anew: ObjectFilter = { kind: "combine", filters: [sparse, sparse] };
    const small = store.createPack({ wants: [bomb.tip], haves: [], filter: anew, limits: few });
    await expect(eventsOf(small)).rejects.toThrow(spent("maxTreeVisits (9)"));
  });
});

describe("questions about history", () => {
  it("cost no more than they may", async () => {
    const large = await makeRepository("sha1", 6000);
    const [first, last] = [large.commits[0] as ObjectId, large.commits.at(-1) as ObjectId];
    const tree = (await large.git("rev-parse", `${first}^{tree}`)) as ObjectId;
    const location = locationOf(large.directory, "sha1", { maxWalkCpuMs: 0, maxCheckCpuMs: 0 });
    const store = createFileObjectStore(pool, location);
    await expect(store.unreachable([first], [last])).rejects.toThrow(spent("maxWalkCpuMs"));
    await expect(store.unreachable([tree], [last])).rejects.toThrow(spent("maxWalkCpuMs"));
    await expect(store.deepen({ wants: [last], clientShallow: [], depth: 9000 })).rejects.toThrow(
      spent("maxWalkCpuMs"),
    );
    const quarantine = await store.receive();
    await expect(quarantine.unconnected([last], [])).rejects.toThrow(spent("maxCheckCpuMs"));
    await quarantine.discard();
  });
});

describe("a job", () => {
  const job = () =>
    new Job(
      () => {},
      () => {},
    );
  /** Works for so long, by the processor's clock as by the wall's. */
  const busy = (milliseconds: number) => {
    for (const end = threadCpuMs() + milliseconds + TICK_MS; threadCpuMs() < end; );
  };

  it("is called off at its next breath, and takes one within a slice", async () => {
    const one = job();
    one.abort();
    busy(20);
    await expect(one.breathe()).rejects.toThrow("called off");
  });

  it("pays for its own work, not for waiting", async () => {
    const waiting = job();
    waiting.limitCpu("maxCpuMs", 60);
    const chunk = waiting.nextChunk();
    await new Promise((resolve) => setTimeout(resolve, 150));
    waiting.addChunk(new Uint8Array(1));
    await chunk;
    busy(20);
    await waiting.breathe();
    busy(60);
    await expect(waiting.breathe()).rejects.toThrow(spent("maxCpuMs (60 ms)"));
  });

  it("notices in the midst of work that it has cost too much", () => {
    const one = job();
    let maxMs = 1000;
    one.limitCpu("some limit", () => maxMs);
    busy(40);
    one.checkCpu();
    expect(one.usedCpuMs).toBeGreaterThan(30);
    maxMs = 30;
    expect(() => one.checkCpu()).toThrow(spent("some limit (30 ms)"));
  });
});
