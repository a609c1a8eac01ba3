import { chmodSync, renameSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { git } from "@tooling/test-kit";
import type { ObjectId } from "@x/objects";
import { createNodeZlibCodec } from "@x/pack/node";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ObjectDatabase } from "../src/worker/object-database.ts";
import { PackFiles } from "../src/worker/pack-files.ts";
import {
  emptyRepository,
  gitPack,
  locationOf,
  type MadeRepository,
  makeRepository,
} from "./made-repository.ts";

describe("packs that a thread brings into a store itself", () => {
  let made: MadeRepository;
  let directory: string;
  let files: PackFiles;
  let database: ObjectDatabase;

  beforeEach(async () => {
    made = await makeRepository("sha1", 6);
    ({ directory } = await emptyRepository("sha1"));
    files = new PackFiles(createNodeZlibCodec());
    database = new ObjectDatabase(locationOf(directory, "sha1"), createNodeZlibCodec(), files);
    await bring(0);
    expect(finds(0)).toBe(true);
  });
  afterEach(() => {
    database.close();
    files.close();
  });

  const commit = (i: number) => made.commits[i] as ObjectId;

  /** Puts a commit and what is new in it into the store. @returns where its pack lies */
  async function bring(i: number): Promise<string> {
    const input = await gitPack(made.directory, i === 0 ? [commit(0)] : [commit(i), `^${commit(i - 1)}`]);
    const said = await git(["index-pack", "--stdin"], { cwd: directory, input });
    return `${locationOf(directory, "sha1").objectsDirectory}/pack/pack-${said.split(/\s+/).at(-1)}`;
  }

  function finds(i: number, rescan = false): boolean {
    const { objects, release } = database.snapshot(rescan);
    try {
      return objects.findId(commit(i)) >= 0;
    } finally {
      release();
    }
  }

  const packsSeen = () => {
    const { objects, release } = database.snapshot();
    release();
    return objects.packs.length;
  };

  it("are seen with the rest, one after the other", async () => {
    for (const i of [1, 2, 3]) {
      const arrived = database.expectPack();
      arrived(await bring(i));
      database.overlookChange();
      expect(packsSeen()).toBe(i + 1);
      expect(finds(i)).toBe(true);
      expect(finds(0)).toBe(true);
    }
  });

  it("hide nothing for long that others bring in the midst of it", async () => {
    const arrived = database.expectPack();
    await bring(2);
    arrived(await bring(1));
    expect(packsSeen()).toBe(2);
    await sleep(10);
    expect(finds(1)).toBe(true);
    expect(finds(2)).toBe(true); // missed, and so looked for
    const next = database.expectPack();
    await bring(4);
    next(await bring(3));
    await bring(5);
    database.overlookChange();
    expect(packsSeen()).toBe(4);
    await expect.poll(packsSeen, { timeout: 5000 }).toBe(6); // in time, though nobody misses them
  });

  it("keep nobody from hearing that what others brought in the midst of it is stored", async () => {
    const arrived = database.expectPack();
    await bring(2);
    arrived(await bring(1));
    await bring(3);
    database.overlookChange();
    await sleep(10);
    const stored = (lookAgain?: boolean) => {
      const { objects, release } = database.snapshot();
      try {
        return objects.hasEach([1, 2, 3, 4].map(commit), lookAgain);
      } finally {
        release();
      }
    };
    expect(stored(false)).toEqual([true, false, false, false]);
    expect(stored()).toEqual([true, true, true, false]);
  });

  it("are found by a look at all when that is what is asked for, or when a snapshot is in use", async () => {
    const arrived = database.expectPack();
    const { objects, release } = database.snapshot();
    arrived(await bring(1));
    expect(objects.findId(commit(0))).toBeGreaterThanOrEqual(0);
    expect(objects.packs).toHaveLength(1);
    expect(packsSeen()).toBe(2);
    release();
    const again = database.expectPack();
    await bring(3);
    again(await bring(2));
    expect(finds(3, true)).toBe(true);
  });

  it("cost nothing but time when the disk fails, or the directory is gone", async () => {
    const arrived = database.expectPack();
    const path = await bring(1);
    chmodSync(`${path}.idx`, 0o644);
    writeFileSync(`${path}.idx`, "no index"); // broken, and so is each look at it
    arrived(path);
    database.overlookChange();
    expect(finds(0)).toBe(true);
    const next = database.expectPack();
    renameSync(`${directory}/objects/pack`, `${directory}/objects/away`);
    writeFileSync(`${directory}/objects/pack`, "no directory");
    next(`${path}0`);
    database.overlookChange();
    expect(finds(1)).toBe(false);
  });

  it("count for nothing when they are not there", () => {
    database.expectPack()(`${directory}/objects/pack/pack-${"1".repeat(40)}`);
    expect(packsSeen()).toBe(1);
  });
});
