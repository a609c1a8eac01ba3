import { chmodSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { git } from "@tooling/test-kit";
import type { ObjectFormat, ObjectId, PackLimits } from "@x/objects";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { createWorkerPool, findRepository, openRepository, type RepositoryLayout } from "../src/index.ts";
import { bytesOf, emptyRepository, type MadeRepository, makeRepository, storeOf } from "./made-repository.ts";

const warnings: string[] = [];
const pool = createWorkerPool({ shared: true, onWarning: (message) => warnings.push(message) });
afterAll(() => pool.close());
beforeEach(() => {
  warnings.length = 0;
});

/** Only bitmaps can tell what is reached without looking into trees. */
const NO_TREES: PackLimits = { maxTreeVisits: 0, maxCpuMs: 60_000, maxPackBytes: 2 ** 40 };

/** The file with the bitmaps, which may be written to. */
function bitmapsOf({ directory }: MadeRepository): string {
  const packs = join(directory, "objects/pack");
  const file = join(packs, readdirSync(packs).find((name) => name.endsWith(".bitmap")) ?? "none");
  chmodSync(file, 0o644);
  return file;
}

/** The ids of the objects in a pack that the store makes. */
async function fetched(
  made: MadeRepository,
  wants: readonly ObjectId[],
  haves: readonly ObjectId[],
  limits?: PackLimits,
): Promise<string[]> {
  const pack = await bytesOf(storeOf(pool, made).createPack({ wants, haves, ofsDelta: true, limits }));
  const client = await emptyRepository(made.format);
  await git(["index-pack", "--stdin"], { cwd: client.directory, input: pack });
  const list = await client.git("cat-file", "--batch-all-objects", "--batch-check=%(objectname)");
  return list.split("\n").sort();
}

async function listed(made: MadeRepository, ...revisions: readonly string[]): Promise<string[]> {
  const list = await made.git("rev-list", "--objects", "--no-object-names", ...revisions);
  return list.split("\n").sort();
}

describe.each<ObjectFormat>(["sha1", "sha256"])("bitmaps beside a pack, %s", (format) => {
  it("are used, also those that come later", async () => {
    const made = await makeRepository(format, 60);
    const wants = [made.commits[59], made.tags[1]] as ObjectId[];
    const all = await listed(made, ...wants);
    await made.git("-c", "repack.writeBitmaps=false", "repack", "-adq");
    await expect(fetched(made, wants, [], NO_TREES)).rejects.toThrow("maxTreeVisits");
    await made.git("repack", "-adbq");
    expect(await fetched(made, wants, [], NO_TREES)).toEqual(all);
    const have = made.commits[30] as ObjectId;
    expect(await fetched(made, wants, [have], NO_TREES)).toEqual(await listed(made, ...wants, `^${have}`));
    expect(warnings).toEqual([]);
    const open = async () => openRepository((await findRepository(made.directory)) as RepositoryLayout, pool);
    const request = { wants, haves: [], limits: NO_TREES };
    await bytesOf((await open()).objects.createPack(request));
    await made.git("config", "pack.useBitmaps", "false");
    await expect(bytesOf((await open()).objects.createPack(request))).rejects.toThrow("maxTreeVisits");
  });

  it("are passed over with one warning when they are broken, until there are others", async () => {
    const made = await makeRepository(format, 60);
    const wants = [made.commits[59]] as ObjectId[];
    const all = await listed(made, ...wants);
    await made.git("repack", "-adbq");
    const file = bitmapsOf(made);
    const good = readFileSync(file);
    truncateSync(file, good.length - 100);
    for (let again = 0; again < 2; again++) expect(await fetched(made, wants, [])).toEqual(all);
    expect(warnings).toEqual([expect.stringContaining(`${file}: passed over`)]);
    rmSync(file);
    writeFileSync(file, good);
    expect(await fetched(made, wants, [], NO_TREES)).toEqual(all);
    expect(warnings).toHaveLength(1);
  });

  it("leave nothing out when more was added since", async () => {
    const made = await makeRepository(format, 60);
    await made.git("update-ref", "refs/heads/main", made.commits[40] as string);
    await made.git("tag", "-d", "v1", "v2");
    await made.git("repack", "-adbkq");
    const wants = [made.commits[59]] as ObjectId[];
    for (const have of [undefined, 20, 40, 50]) {
      const haves = have === undefined ? [] : [made.commits[have] as ObjectId];
      const expected = await listed(made, ...wants, ...haves.map((id) => `^${id}`));
      expect(await fetched(made, wants, haves)).toEqual(expected);
    }
    expect(warnings).toEqual([]);
  });
});
