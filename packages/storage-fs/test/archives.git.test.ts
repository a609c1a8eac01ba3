import { randomBytes } from "node:crypto";
import { git, temporaryDirectory } from "@tooling/test-kit";
import type { ArchiveFormat, ArchiveRequest, ObjectId, ObjectStore } from "@x/objects";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  createWorkerPool,
  findRepository,
  openRepository,
  type RepositoryLayout,
  type WorkerPool,
} from "../src/index.ts";

const MIB = 1024 * 1024;
const LARGE = 24 * MIB;

let pool: WorkerPool;
let objects: ObjectStore;
let tree: ObjectId;
let smallTree: ObjectId;

beforeAll(async () => {
  // One thread for all: what holds it, holds up everybody.
  pool = createWorkerPool({ heavyWorkers: 1 });
  const directory = temporaryDirectory("archives");
  await git(["init", "-q", "--bare", directory]);
  await git(["config", "core.compression", "0"], { cwd: directory });
  const write = async (args: readonly string[], input: string) =>
    (await git(args, { cwd: directory, input })).trim() as ObjectId;
  const large = await write(["hash-object", "-w", "--stdin"], randomBytes(LARGE / 2).toString("hex"));
  const small = await write(["hash-object", "-w", "--stdin"], "small\n");
  tree = await write(["mktree"], `100644 blob ${large}\tlarge\n`);
  smallTree = await write(["mktree"], `100644 blob ${small}\tsmall\n`);
  ({ objects } = await openRepository((await findRepository(directory)) as RepositoryLayout, pool));
}, 60_000);
afterAll(() => pool.close());

function archive(more: Partial<ArchiveRequest> = {}, signal?: AbortSignal) {
  const { createArchive } = objects;
  if (createArchive === undefined) throw new Error("no archives");
  const request: ArchiveRequest = {
    format: "tar",
    tree,
    time: 1,
    prefix: "",
    paths: [],
    settings: {
      umask: 0o002,
      lineEndings: { autocrlf: "false", eol: "lf" },
      bigFileThreshold: 512 * MIB,
      ignoreCase: false,
      binaryDrivers: new Map(),
    },
    ...more,
  };
  return createArchive.call(objects, request, { signal })[Symbol.asyncIterator]();
}

async function sizeOf(events: ReturnType<typeof archive>): Promise<number> {
  let bytes = 0;
  for (let next = await events.next(); !next.done; next = await events.next())
    if (next.value.kind === "bytes") bytes += next.value.bytes.length;
  return bytes;
}

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

const FORMATS: readonly ArchiveFormat[] = ["tar", "tar.gz", "zip"];

describe.each(FORMATS)("an archive in the making: %s", (format) => {
  it("waits for a reader that stalls, with less than 1 MiB in hand", async () => {
    const before = process.memoryUsage().arrayBuffers;
    const events = archive({ format, level: format === "tar" ? undefined : 1 });
    const first = await events.next();
    expect(first.value?.kind).toBe("bytes");
    await wait(1000);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1.25 * MIB);
    // The one thread is not its own: others are served meanwhile.
    expect(await sizeOf(archive({ tree: smallTree }))).toBe(10_240);
    // And it goes on where it was.
    expect(await sizeOf(events)).toBeGreaterThan(format === "tar" ? LARGE - MIB : LARGE / 3);
  });

  it("ends when it is called off, and when its reader leaves", async () => {
    const controller = new AbortController();
    const level = format === "tar" ? undefined : 1;
    const events = archive({ format, level }, controller.signal);
    await events.next();
    controller.abort();
    await expect(sizeOf(events)).rejects.toMatchObject({ name: "AbortError" });
    const left = archive({ format, level });
    await left.next();
    await left.return?.();
    expect(await sizeOf(archive({ tree: smallTree }))).toBe(10_240);
  });

  it("ends before anything has come of it", async () => {
    const controller = new AbortController();
    const events = archive({ format, level: 9 }, controller.signal);
    setTimeout(() => controller.abort(), 20);
    await expect(sizeOf(events)).rejects.toMatchObject({ name: "AbortError" });
    expect(await sizeOf(archive({ tree: smallTree }))).toBe(10_240);
  });

  it("costs no more of a processor than it may", async () => {
    const limits = { maxArchiveEntries: 100, maxArchiveBytes: 1e9, maxCpuMs: 0 };
    await expect(sizeOf(archive({ format, limits }))).rejects.toMatchObject({
      name: "ObjectsError",
      code: "objects/limit-exceeded",
      message: expect.stringContaining("maxArchiveCpuMs (0 ms)"),
    });
    await sizeOf(archive({ format, tree: smallTree, limits: { ...limits, maxCpuMs: 60_000 } }));
  });
});
