import { readdirSync, readlinkSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { git, tryGit } from "@tooling/test-kit";
import type { ObjectId } from "@x/objects";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createWorkerPool, type WorkerPool } from "../src/index.ts";
import {
  bytesOf,
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

/** Runs `work` again and again until `signal` fires; gives how often. */
async function looping(signal: AbortSignal, work: (round: number) => Promise<unknown>): Promise<number> {
  let rounds = 0;
  for (; !signal.aborted; rounds++) await work(rounds);
  return rounds;
}

describe("beside C git's upkeep", () => {
  let made: MadeRepository;
  let tip: ObjectId;

  beforeAll(async () => {
    made = await makeRepository("sha1", 300, { blobBytes: 2000 });
    tip = made.commits.at(-1) as ObjectId;
  });

  it("packs and reads never fail while it repacks, and sees what others add", {
    timeout: 60_000,
  }, async () => {
    const over = new AbortController();
    const store = storeOf(pool, made);
    const expected = Number(await made.git("rev-list", "--objects", "--count", tip));
    const added: string[] = [];
    const upkeep = looping(over.signal, async (round) => {
      // Loose objects come, are packed and pruned; packs are split, joined and dropped.
      const blob = await git(["hash-object", "-w", "--stdin"], {
        cwd: made.directory,
        input: `round ${round}\n`,
      });
      await made.git("update-ref", `refs/blobs/${round}`, blob);
      added.push(blob);
      if (round % 5 === 4) await made.git("gc", "-q", "--prune=now");
      else if (round % 5 === 2) {
        await made.git("repack", "-dq");
        await made.git("prune-packed");
      } else await made.git("repack", "-adq", ...(round % 2 === 0 ? [] : ["-f", "--window=3"]));
    });
    const packing = looping(over.signal, async (round) => {
      let objects = 0;
      for await (const event of store.createPack({
        wants: [tip],
        haves: [],
        ofsDelta: true,
        progress: true,
      })) {
        if (event.kind === "bytes" && round % 2 === 0) await sleep(1); // a slow reader
        if (event.kind === "summary") objects = event.summary.objects;
      }
      expect(objects).toBe(expected);
    });
    const reading = looping(over.signal, async (round) => {
      const id = made.commits[(round * 7) % made.commits.length] as ObjectId;
      expect((await store.read(id))?.type).toBe("commit");
      expect(await store.has([id, tip])).toEqual([true, true]);
      expect((await store.headers([id]))[0]?.type).toBe("commit");
      expect(await store.isAncestor(made.commits[0] as ObjectId, id)).toBe(true);
      const blob = added.at(-1);
      if (blob !== undefined) expect(await store.has([blob as ObjectId])).toEqual([true]);
    });
    await sleep(12_000);
    over.abort();
    const counts = await Promise.all([upkeep, packing, reading]);
    for (const count of counts) expect(count).toBeGreaterThan(3);
    expect((await tryGit(["fsck", "--strict", "--no-dangling"], { cwd: made.directory })).stdout).toBe("");
  });

  it("goes on with what was loose when it began and is packed by now", { timeout: 40_000 }, async () => {
    const repository = await emptyRepository("sha1");
    await git(["unpack-objects", "-q"], {
      cwd: repository.directory,
      input: await gitPack(made.directory, [tip]),
    });
    await repository.git("update-ref", "refs/heads/main", tip);
    const store = storeOf(pool, repository);
    const iterator = store.createPack({ wants: [tip], haves: [] })[Symbol.asyncIterator]();
    const chunks: Uint8Array[] = [];
    const take = async (): Promise<boolean> => {
      const step = await iterator.next();
      if (!step.done && step.value.kind === "bytes") chunks.push(step.value.bytes);
      return step.done !== true;
    };
    // The first chunks are out, the worker waits for us to read on: now the loose objects go.
    await take();
    await repository.git("repack", "-adq");
    await repository.git("prune-packed");
    while (await take());
    const client = await emptyRepository("sha1");
    await git(["index-pack", "--stdin", "--strict"], { cwd: client.directory, input: Buffer.concat(chunks) });
    await client.git("update-ref", "refs/heads/main", tip);
    expect(await client.git("fsck", "--connectivity-only", "--no-dangling")).toBe("");
  });

  it("goes on with a pack that was dropped, and lets it go afterwards", { timeout: 40_000 }, async () => {
    const repository = await emptyRepository("sha1");
    await git(["index-pack", "--stdin"], {
      cwd: repository.directory,
      input: await gitPack(made.directory, [tip]),
    });
    await repository.git("update-ref", "refs/heads/main", tip);
    const own = createWorkerPool({ shared: true });
    try {
      const store = storeOf(own, repository);
      const iterator = store.createPack({ wants: [tip], haves: [] })[Symbol.asyncIterator]();
      await iterator.next();
      await repository.git("repack", "-adfq", "--window=2");
      let last: unknown;
      for (;;) {
        const step = await iterator.next();
        if (step.done) break;
        last = step.value;
      }
      expect(last).toMatchObject({ kind: "summary" });
      expect(await store.has([tip])).toEqual([true]);
      const held = readdirSync("/proc/self/fd").flatMap((name) => {
        try {
          return [readlinkSync(`/proc/self/fd/${name}`)];
        } catch {
          return []; // the descriptor of the listing itself
        }
      });
      expect(
        held.filter((path) => path.startsWith(repository.directory) && path.includes("(deleted)")),
      ).toEqual([]);
    } finally {
      await own.close();
    }
  });

  it("takes pushes in while gc runs", { timeout: 60_000 }, async () => {
    const repository = await emptyRepository("sha1");
    const over = new AbortController();
    const upkeep = looping(over.signal, async (round) => {
      if (round % 2 === 0) await repository.git("gc", "-q");
      else await repository.git("repack", "-adq");
    });
    const store = storeOf(pool, repository);
    for (let i = 0; i < 60; i++) {
      const commit = made.commits[i] as ObjectId;
      const known = made.commits.slice(Math.max(0, i - 1), i);
      const revisions = [commit, ...known.map((id) => `^${id}`)];
      const quarantine = await store.receive();
      await quarantine.takePack(inPieces(await gitPack(made.directory, revisions, "--thin")), { limits: {} });
      expect(await quarantine.unconnected([commit], known)).toEqual([]);
      await quarantine.publish();
      await repository.git("update-ref", "refs/heads/main", commit);
      await quarantine.discard();
    }
    over.abort();
    expect(await upkeep).toBeGreaterThan(2);
    expect((await tryGit(["fsck", "--strict", "--no-dangling"], { cwd: repository.directory })).stdout).toBe(
      "",
    );
    const last = made.commits[59] as ObjectId;
    const client = await emptyRepository("sha1");
    const pack = await bytesOf(store.createPack({ wants: [last], haves: [] }));
    await git(["index-pack", "--stdin", "--strict"], { cwd: client.directory, input: pack });
  });
});
