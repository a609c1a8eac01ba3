import type { ObjectId } from "@x/objects";
import { describe, expect, it } from "vitest";
import { askPeel, askUnconnected, ObjectTable, type Pace } from "../src/index.ts";
import { idOf, looseObjects, type MemoryObject } from "./memory-table.ts";
import { bytesOf } from "./pack-builder.ts";

const LENGTH = 400;
const pace: Pace = {
  breathe: async () => {},
  async run(walk) {
    for (;;) {
      const step = walk.next();
      if (step.done) return step.value;
    }
  },
};

/** Tags of which each stands for the one before, the first one for `end`. */
function chainOn(end: MemoryObject): MemoryObject[] {
  const chain = [end];
  for (let i = 0; i < LENGTH; i++) {
    const { type } = chain[i] as MemoryObject;
    const head = `object ${idOf(chain[i] as MemoryObject)}\ntype ${type}\ntag t${i}\n`;
    chain.push({ type: "tag", data: bytesOf(`${head}tagger T <t@example.com> 1 +0000\n\nx\n`) });
  }
  return chain;
}

const tree: MemoryObject = { type: "tree", data: new Uint8Array(0) };
const who = "C <c@example.com> 1 +0000";
const commit: MemoryObject = {
  type: "commit",
  data: bytesOf(`tree ${idOf(tree)}\nauthor ${who}\ncommitter ${who}\n\nx\n`),
};

/** A store that counts what is read of it. */
function counting(objects: readonly MemoryObject[]) {
  const counts = { reads: 0 };
  const loose = looseObjects(objects);
  const read = (id: ObjectId) => {
    counts.reads++;
    return loose.read(id);
  };
  return { counts, table: new ObjectTable("sha1", [], { ...loose, read }) };
}

const idsOf = (objects: readonly MemoryObject[]) => objects.map((object) => idOf(object));

describe.each([
  ["the shortest first", (ids: ObjectId[]) => ids],
  ["the longest first", (ids: ObjectId[]) => ids.toReversed()],
])("a ref for each tag of a long chain, %s", (_, order) => {
  const chain = chainOn(commit);
  const tips = order(idsOf(chain.slice(1)));

  it("is peeled with each tag being read once", async () => {
    const { counts, table } = counting([tree, ...chain]);
    const peeled = await askPeel(table, tips, pace);
    expect(new Set(peeled.map((one) => one?.id))).toEqual(new Set([idOf(commit)]));
    expect(counts.reads).toBeLessThan(3 * LENGTH);
  });

  it("is found connected, or not, and known, with each tag being read a few times", async () => {
    const ask = async (objects: readonly MemoryObject[], known: readonly ObjectId[]) => {
      const { counts, table } = counting(objects);
      const question = { objects: table, pace, shallow: [] };
      const args = { tips, known, clientShallow: [], packs: [], maxTreeDepth: undefined };
      let lacks = 0;
      const lost = await askUnconnected(question, args, () => void lacks++);
      return { lost: lost.length, lacks, reads: counts.reads };
    };
    const whole = await ask([tree, ...chain], []);
    expect(whole).toMatchObject({ lost: 0, lacks: 0 });
    expect(whole.reads).toBeLessThan(4 * LENGTH);
    const known = await ask([tree, ...chain], tips);
    expect(known).toMatchObject({ lost: 0, lacks: 0 });
    expect(known.reads).toBeLessThan(6 * LENGTH);
    expect(await ask(chain.slice(1), [])).toMatchObject({ lost: LENGTH, lacks: 1 });
  });
});
