import type { ObjectId } from "@x/objects";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createWorkerPool, type WorkerPool, type WorkerPoolOptions } from "../src/index.ts";
import { bytesOf, type MadeRepository, makeRepository, storeOf } from "./made-repository.ts";

let made: MadeRepository;
beforeAll(async () => {
  made = await makeRepository("sha1", 3000);
});

const POOLS: readonly (readonly [string, WorkerPoolOptions])[] = [
  ["in a thread", { heavyWorkers: 1 }],
  ["in this thread", { inline: true }],
];

describe.each(POOLS)("packs in memory that comes back, %s", (_, options) => {
  let pool: WorkerPool;
  beforeAll(() => {
    pool = createWorkerPool(options);
  });
  afterAll(() => pool.close());

  const request = () => ({ wants: [made.commits.at(-1) as ObjectId], haves: [], ofsDelta: true });

  /** Reads a pack that is `late` chunks ahead of what it gives back. */
  async function readLate(late: number): Promise<{ bytes: Buffer; buffers: ArrayBufferLike[] }> {
    const backs: (() => void)[] = [];
    const unread: Uint8Array[] = [];
    const read: Uint8Array[] = [];
    const buffers: ArrayBufferLike[] = [];
    const readOne = () => {
      read.push((unread.shift() as Uint8Array).slice());
      backs.shift()?.();
    };
    const lend = (_: Uint8Array, onBack: () => void) => void backs.push(onBack);
    for await (const event of storeOf(pool, made).createPack(request(), { lend })) {
      if (event.kind !== "bytes") continue;
      unread.push(event.bytes);
      buffers.push(event.bytes.buffer);
      while (unread.length > late) readOne();
    }
    while (unread.length > 0) readOne();
    return { bytes: Buffer.concat(read), buffers };
  }

  it("are the same as others, however late it does", async () => {
    const expected = await bytesOf(storeOf(pool, made).createPack(request()));
    for (const late of [0, 1, 5, 30, 0]) {
      const { bytes, buffers } = await readLate(late);
      expect(buffers.length).toBeGreaterThan(12);
      expect(Buffer.compare(bytes, expected)).toBe(0);
    }
  });
});

it("memory that comes back goes to the worker again", async () => {
  const pool = createWorkerPool({ heavyWorkers: 1 });
  try {
    const kept: ArrayBufferLike[] = [];
    const lend = (bytes: Uint8Array, onBack: () => void) => {
      kept.push(bytes.buffer);
      onBack();
    };
    const wants = [made.commits.at(-1) as ObjectId];
    for await (const event of storeOf(pool, made).createPack({ wants, haves: [] }, { lend })) void event;
    // What has gone to another thread is no longer here.
    expect(kept.filter((buffer) => buffer.byteLength === 0).length).toBeGreaterThan(kept.length / 3);
  } finally {
    await pool.close();
  }
});
