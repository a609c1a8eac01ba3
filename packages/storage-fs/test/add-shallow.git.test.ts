import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { tryGit } from "@tooling/test-kit";
import { type ObjectId, zeroId } from "@x/objects";
import { afterAll, describe, expect, it } from "vitest";
import { toBytePath } from "../src/disk/byte-path.ts";
import { lockFile } from "../src/disk/lock-file.ts";
import { createWorkerPool } from "../src/index.ts";
import { Journal } from "../src/journal/journal.ts";
import { deadProcessName, handOver, journalOf } from "./dead-process.ts";
import { emptyRepository, inPieces, makeRepository, storeOf } from "./made-repository.ts";

const pool = createWorkerPool({ shared: true });
afterAll(() => pool.close());

describe.each(["sha1", "sha256"] as const)("adding shallow commits, %s", (format) => {
  it("makes the file, adds what it lacks, and git reads it", async () => {
    const made = await makeRepository(format, 5);
    const there = await emptyRepository(format);
    const store = storeOf(pool, there);
    const [, second, third, , tip] = made.commits as [ObjectId, ObjectId, ObjectId, ObjectId, ObjectId];
    const quarantine = await store.receive();
    const objects = (await made.git("rev-list", "--objects", "--no-object-names", tip, `^${second}`)).split(
      "\n",
    );
    const tree = (await made.git("ls-tree", "-r", "-t", "--object-only", third)).split("\n");
    const list = [...new Set([...objects, ...tree, await made.git("rev-parse", `${third}^{tree}`)])];
    const { stdout } = await tryGit(["pack-objects", "-q", "--stdout"], {
      cwd: made.directory,
      input: `${list.join("\n")}\n`,
    });
    const pack = Buffer.from(stdout, "latin1");
    await quarantine.takePack(inPieces(pack), { limits: {} });
    await quarantine.publish();
    await quarantine.discard();
    await store.addShallow?.([third]);
    await store.addShallow?.([third]);
    expect(readFileSync(`${there.directory}/shallow`, "latin1")).toBe(`${third}\n`);
    expect(await store.shallow()).toEqual([third]);
    await there.git("update-ref", "refs/heads/main", tip);
    expect(await there.git("rev-list", "--count", "main")).toBe("3");
    expect(await there.git("fsck", "--strict")).toBe("");
    const other = zeroId(format);
    await store.addShallow?.([other, third]);
    expect(readFileSync(`${there.directory}/shallow`, "latin1")).toBe(`${third}\n${other}\n`);
    expect(journalOf(there.directory)).toEqual([]);
  });

  it("waits for nobody for ever, and removes what a dead process left", async () => {
    const there = await emptyRepository(format);
    const store = storeOf(pool, there);
    const id = zeroId(format);
    writeFileSync(`${there.directory}/shallow.lock`, "");
    await expect(store.addShallow?.([id])).rejects.toMatchObject({ code: "objects/unavailable" });
    rmSync(`${there.directory}/shallow.lock`);
    const common = toBytePath(there.directory);
    const draft = await new Journal(common, true).draft(`${common}/shallow`, new Uint8Array());
    await lockFile(`${common}/shallow`, { timeoutMs: 0, draft });
    handOver(there.directory, await deadProcessName());
    await store.addShallow?.([id]);
    expect(await store.shallow()).toEqual([id]);
  });
});
