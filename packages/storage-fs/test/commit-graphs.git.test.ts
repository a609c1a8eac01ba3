import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { git } from "@tooling/test-kit";
import type { ObjectFormat, ObjectId } from "@x/objects";
import { describe, expect, it } from "vitest";
import { createWorkerPool } from "../src/index.ts";
import { CommitGraphs } from "../src/worker/commit-graphs.ts";
import {
  emptyRepository,
  locationOf,
  type MadeRepository,
  makeRepository,
  storeOf,
} from "./made-repository.ts";

interface Opened {
  readonly count: () => number | undefined;
  readonly warnings: string[];
}

function graphsOf(directory: string, format: ObjectFormat, alternates: readonly string[] = []): Opened {
  const warnings: string[] = [];
  const location = locationOf(directory, format);
  const graphs = new CommitGraphs(location, (message) => warnings.push(message));
  const directories = [location.objectsDirectory, ...alternates];
  return { count: () => graphs.open(directories)?.count, warnings };
}

async function writeChain({ directory, commits }: MadeRepository): Promise<string> {
  for (const count of [10, 20])
    await git(["commit-graph", "write", "--stdin-commits", "--split=no-merge"], {
      cwd: directory,
      input: `${commits.slice(0, count).join("\n")}\n`,
    });
  return join(directory, "objects/info/commit-graphs");
}

describe.each<ObjectFormat>(["sha1", "sha256"])("the commit-graph on disk, %s", (format) => {
  it("is opened once, and again when it was written again", async () => {
    const made = await makeRepository(format, 30);
    const { count, warnings } = graphsOf(made.directory, format);
    expect(count()).toBeUndefined();
    const path = await writeChain(made);
    expect(count()).toBe(20);
    await made.git("commit-graph", "write", "--reachable");
    expect(count()).toBe(30);
    rmSync(join(made.directory, "objects/info/commit-graph"), { force: true });
    rmSync(path, { recursive: true, force: true });
    expect(count()).toBeUndefined();
    expect(warnings).toEqual([]);
  });

  it("is that of an alternate where there is no other", async () => {
    const made = await makeRepository(format, 30);
    await writeChain(made);
    const empty = await emptyRepository(format);
    const { count, warnings } = graphsOf(empty.directory, format, [join(made.directory, "objects")]);
    expect(count()).toBe(20);
    // The upper file of a chain here, the lower one there.
    const info = join(made.directory, "objects/info/commit-graphs");
    const own = join(empty.directory, "objects/info/commit-graphs");
    mkdirSync(own, { recursive: true });
    const chain = readFileSync(join(info, "commit-graph-chain"), "latin1");
    const upper = `graph-${chain.trim().split("\n")[1]}.graph`;
    writeFileSync(join(own, "commit-graph-chain"), chain);
    writeFileSync(join(own, upper), readFileSync(join(info, upper)));
    expect(graphsOf(empty.directory, format, [join(made.directory, "objects")]).count()).toBe(20);
    expect(warnings).toEqual([]);
  });

  it("is not asked where commits may have other parents", async () => {
    const made = await makeRepository(format, 30);
    await made.git("commit-graph", "write", "--reachable");
    const { count } = graphsOf(made.directory, format);
    expect(count()).toBe(30);
    writeFileSync(join(made.directory, "shallow"), `${made.commits[5]}\n`);
    expect(count()).toBeUndefined();
    rmSync(join(made.directory, "shallow"));
    expect(count()).toBe(30);
    writeFileSync(join(made.directory, "info/grafts"), `${made.commits[5]}\n`);
    expect(count()).toBeUndefined();
  });

  it("is passed over when it is broken, and told of once", async () => {
    const made = await makeRepository(format, 30);
    await made.git("commit-graph", "write", "--reachable");
    const path = join(made.directory, "objects/info/commit-graph");
    const bytes = readFileSync(path);
    rmSync(path); // it cannot be written to
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] as number) ^ 1;
    writeFileSync(path, bytes);
    const { count, warnings } = graphsOf(made.directory, format);
    expect(count()).toBeUndefined();
    expect(count()).toBeUndefined();
    expect(warnings).toEqual([
      expect.stringMatching(/^ignoring the commit-graph of .*\/objects: .*checksum/),
    ]);

    const heard: string[] = [];
    const pool = createWorkerPool({ heavyWorkers: 1, onWarning: (message) => heard.push(message) });
    try {
      const [first, last] = [made.commits[0] as ObjectId, made.commits[29] as ObjectId];
      expect(await storeOf(pool, made).allReach([last], [first])).toBe(true);
      expect(heard).toEqual(warnings);
    } finally {
      await pool.close();
    }
  });

  it.each([
    { chain: "../../../../secret\n", says: "its chain names no files" },
    { chain: `${"1".repeat(format === "sha1" ? 40 : 64)}\n`, says: "is missing" },
    { chain: `${"1".repeat(format === "sha1" ? 40 : 64)}\n`.repeat(65), says: "more than 64 files" },
  ])("is passed over when its chain is broken: $says", async ({ chain, says }) => {
    const made = await makeRepository(format, 30);
    const info = await writeChain(made);
    expect(readdirSync(info).length).toBe(3);
    rmSync(join(info, "commit-graph-chain"), { force: true });
    writeFileSync(join(info, "commit-graph-chain"), chain);
    const { count, warnings } = graphsOf(made.directory, format);
    expect(count()).toBeUndefined();
    expect(count()).toBeUndefined();
    expect(warnings).toEqual([expect.stringContaining(says)]);
  });
});
