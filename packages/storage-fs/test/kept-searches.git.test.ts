import type { ObjectId } from "@x/objects";
import { createNodeZlibCodec } from "@x/pack/node";
import { beforeAll, describe, expect, it } from "vitest";
import { KeptSearches, type Search } from "../src/worker/kept-searches.ts";
import { ObjectDatabase, type Snapshot } from "../src/worker/object-database.ts";
import { PackFiles } from "../src/worker/pack-files.ts";
import { locationOf, type MadeRepository, makeRepository } from "./made-repository.ts";

const codec = createNodeZlibCodec();

describe("kept searches", () => {
  let made: MadeRepository;
  let database: ObjectDatabase;
  /** Snapshots that were not released. */
  let held = 0;

  beforeAll(async () => {
    made = await makeRepository("sha1", 20);
    database = new ObjectDatabase(locationOf(made.directory, "sha1"), codec, new PackFiles(codec));
  });

  const snapshot = (): Snapshot => {
    const taken = database.snapshot();
    held++;
    return {
      objects: taken.objects,
      release: () => {
        held--;
        taken.release();
      },
    };
  };
  const subject = (tips: readonly ObjectId[], store = "one") => ({ store, tips, shallow: [], snapshot });
  const searchFor = (kept: KeptSearches, tips: readonly ObjectId[], store?: string): Promise<Search> =>
    kept.use(subject(tips, store), async (search) => search);

  it("are the same for the same tips of the same store, and let go when forgotten", async () => {
    const kept = new KeptSearches();
    const [one, two] = made.commits as [ObjectId, ObjectId];
    const first = await searchFor(kept, [one]);
    expect(await searchFor(kept, [one])).toBe(first);
    expect(await searchFor(kept, [one, two])).not.toBe(first);
    expect(await searchFor(kept, [one])).toBe(first);
    expect(held).toBe(2);
    kept.forget("another");
    expect(held).toBe(2);
    kept.forget("one");
    expect(held).toBe(0);
    expect(await searchFor(kept, [one])).not.toBe(first);
    kept.forget();
    expect(held).toBe(0);
  });

  it("are few: the longest unused one goes, after its users", async () => {
    const kept = new KeptSearches();
    const tips = made.commits.slice(0, 4);
    let leave = () => {};
    const using = kept.use(
      subject([tips[0] as ObjectId]),
      () =>
        new Promise<void>((resolve) => {
          leave = resolve;
        }),
    );
    for (const tip of tips.slice(1)) await searchFor(kept, [tip]);
    expect(held).toBe(3);
    leave();
    await using;
    expect(held).toBe(2);
    kept.forget();
    expect(held).toBe(0);
  });

  it("are not kept when they meet something broken", async () => {
    const kept = new KeptSearches();
    const [tip] = made.commits as [ObjectId];
    const first = await searchFor(kept, [tip]);
    const broken = kept.use(subject([tip]), () => Promise.reject(new Error("broken")));
    await expect(broken).rejects.toThrow("broken");
    expect(held).toBe(0);
    expect(await searchFor(kept, [tip])).not.toBe(first);
    kept.forget();
  });
});
