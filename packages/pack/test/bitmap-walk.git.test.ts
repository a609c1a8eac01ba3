import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { git as runGit } from "@tooling/test-kit";
import type { ObjectFilter, ObjectFormat } from "@x/objects";
import { beforeAll, describe, expect, it } from "vitest";
import { BitSet } from "../src/format/bit-set.ts";
import { enumerateObjects, type ObjectTable, type Selection } from "../src/index.ts";
import { BitmapOrder } from "../src/walk/bitmap-order.ts";
import { finish, numberOf, openTable } from "./open-table.ts";
import { Random } from "./random.ts";
import { type History, randomHistory } from "./random-history.ts";

interface Question {
  readonly wants: readonly string[];
  readonly haves: readonly string[];
}

function select(table: ObjectTable, question: Question, filter?: ObjectFilter): Selection {
  const numbers = (ids: readonly string[]) => ids.map((id) => numberOf(table, id));
  const { wants, haves } = question;
  return finish(enumerateObjects(table, { wants: numbers(wants), haves: numbers(haves), filter }));
}

function selected(table: ObjectTable, selection: Selection): string[] {
  const ids: string[] = [];
  for (let number = 0; number < table.count; number++)
    if (selection.isSelected(number)) ids.push(table.id(number));
  expect(ids).toHaveLength(selection.count);
  return ids.sort();
}

async function listed(history: History, { wants, haves }: Question, ...flags: string[]): Promise<string[]> {
  const revisions = [...wants, ...haves.map((id) => `^${id}`)];
  const list = await history.git("rev-list", "--objects", "--no-object-names", ...flags, ...revisions);
  return list === "" ? [] : list.split("\n").sort();
}

function randomQuestion(history: History, random: Random): Question {
  const { commits, tags } = history;
  const wants = random.some(commits, 1 + random.below(3));
  const haves = random.once(3) ? [] : random.some(commits, 1 + random.below(4));
  if (random.once(3)) wants.push(...random.some(tags, 2));
  if (random.once(3)) haves.push(...random.some(tags, 2));
  return { wants, haves };
}

/** One pack with bitmaps of what the first commits reach, one without that lies on top, and the rest loose. */
async function spread({ directory, commits, git }: History, ...settings: readonly string[]): Promise<void> {
  const packs = join(directory, "objects/pack");
  const files = readdirSync(packs).map((name) => [name, readFileSync(join(packs, name))] as const);
  for (const [name] of files) rmSync(join(packs, name));
  for (const [name, input] of files)
    if (name.endsWith(".pack")) await runGit(["unpack-objects", "-q"], { cwd: directory, input });
  for (const name of (await git("for-each-ref", "--format=%(refname)")).split("\n"))
    if (name !== "") await git("update-ref", "-d", name);
  await git("update-ref", "refs/heads/part", commits[99] as string);
  await git("update-ref", "refs/heads/older", commits[40] as string);
  await git(...settings.flatMap((setting) => ["-c", setting]), "repack", "-adbq", "--depth=20");
  await git("update-ref", "refs/heads/further", commits[130] as string);
  await git("repack", "-dq");
}

/** How many commits have bitmaps. */
function bitmapped(table: ObjectTable): number {
  return BitmapOrder.of(table)?.bitmaps.commits ?? 0;
}

describe.each<ObjectFormat>(["sha1", "sha256"])("fetches by bitmaps, %s", (format) => {
  let history: History;
  let table: ObjectTable;
  const warnings: string[] = [];

  beforeAll(async () => {
    history = await randomHistory({ format, seed: 7, commits: 160 });
    await spread(history);
    table = openTable(history.directory, format, { warnings });
    expect(table.packs.length).toBe(2);
    expect(bitmapped(table)).toBeGreaterThan(10);
  });

  it("bitmaps tell of each commit what git lists", async () => {
    const order = BitmapOrder.of(table) as BitmapOrder;
    let told = 0;
    for (const commit of history.commits) {
      const bits = new BitSet(order.bitmaps.count);
      if (!order.addReach(numberOf(table, commit), bits, new BitSet(order.bitmaps.count))) continue;
      const ids: string[] = [];
      for (let bit = bits.next(0); bit >= 0; bit = bits.next(bit + 1))
        ids.push(table.id(order.numberOf(bit)));
      if (told++ % 5 === 0) expect(ids.sort()).toEqual(await listed(history, { wants: [commit], haves: [] }));
    }
    expect(told).toBe(bitmapped(table));
  });

  it("give exactly what git gives that uses them", async () => {
    const random = new Random(31);
    let found = 0;
    for (let round = 0; round < 60; round++) {
      const question = randomQuestion(history, random);
      const ours = selected(table, select(table, question));
      const reachable = await listed(history, { wants: question.wants, haves: [] });
      const had =
        question.haves.length === 0 ? [] : await listed(history, { wants: question.haves, haves: [] });
      const gone = new Set(had);
      expect({ round, ours }).toEqual({ round, ours: reachable.filter((id) => !gone.has(id)) });
      found += ours.length;
    }
    expect(found).toBeGreaterThan(1000);
    expect(warnings).toEqual([]);
  });

  it("take as many trees as lie above the bitmaps, and none below", async () => {
    const { commits } = history;
    const numbers = (...at: number[]) => at.map((i) => numberOf(table, commits[i] as string));
    const count = (wants: number[], haves: number[], maxTreeVisits: number) =>
      finish(enumerateObjects(table, { wants, haves, maxTreeVisits })).count;
    expect(count(numbers(99), [], 0)).toBeGreaterThan(200);
    expect(count(numbers(99), numbers(40), 0)).toBeGreaterThan(50);
    expect(() => count(numbers(130), numbers(99), 0)).toThrow("maxTreeVisits");
    expect(() =>
      finish(
        enumerateObjects(table, { wants: numbers(99), haves: [], maxTreeVisits: 0, withoutBitmaps: true }),
      ),
    ).toThrow("maxTreeVisits");
  });

  const filters: [ObjectFilter, string][] = [
    [{ kind: "blob-none" }, "blob:none"],
    [{ kind: "blob-limit", limitBytes: 40 }, "blob:limit=40"],
    [{ kind: "tree-depth", depth: 0 }, "tree:0"],
    [{ kind: "tree-depth", depth: 2 }, "tree:2"],
    [{ kind: "object-type", type: "commit" }, "object:type=commit"],
    [{ kind: "object-type", type: "tree" }, "object:type=tree"],
    [{ kind: "object-type", type: "blob" }, "object:type=blob"],
    [{ kind: "object-type", type: "tag" }, "object:type=tag"],
    [
      {
        kind: "combine",
        filters: [
          { kind: "blob-limit", limitBytes: 60 },
          { kind: "blob-limit", limitBytes: 40 },
        ],
      },
      "combine:blob:limit=60+blob:limit=40",
    ],
  ];
  it.each(filters)("leave out what a filter does, %o", async (filter, words) => {
    const random = new Random(32);
    for (let round = 0; round < 6; round++) {
      const { wants } = randomQuestion(history, random);
      const question = { wants, haves: [] };
      const ours = selected(table, select(table, question, filter));
      expect({ round, ours }).toEqual({ round, ours: await listed(history, question, `--filter=${words}`) });
    }
  });

  it("look at both copies of what lies in a larger pack, too", async () => {
    const packs = join(history.directory, "objects/pack");
    const name = await runGit(["pack-objects", "-q", "--revs", join(packs, "pack")], {
      cwd: history.directory,
      input: history.commits.join("\n"),
    });
    const other = openTable(history.directory, format, { warnings });
    expect(other.packs).toHaveLength(3);
    expect(other.packs[0]?.bitmaps?.open()).toBeUndefined();
    expect(bitmapped(other)).toBeGreaterThan(10);
    const random = new Random(33);
    for (let round = 0; round < 20; round++) {
      const question = randomQuestion(history, random);
      expect(selected(other, select(other, question))).toEqual(selected(table, select(table, question)));
    }
    for (const suffix of ["pack", "idx"]) rmSync(join(packs, `pack-${name}.${suffix}`));
  });

  it("count for nothing where commits are taken to have no parents", async () => {
    const { commits } = history;
    const [tip, cut] = [numberOf(table, commits[99] as string), numberOf(table, commits[90] as string)];
    const whole = finish(enumerateObjects(table, { wants: [tip], haves: [] }));
    const part = finish(enumerateObjects(table, { wants: [tip], haves: [], shallow: new Set([cut]) }));
    const plain = finish(
      enumerateObjects(table, { wants: [tip], haves: [], shallow: new Set([cut]), withoutBitmaps: true }),
    );
    expect(selected(table, part)).toEqual(selected(table, plain));
    expect(whole.count).toBeGreaterThanOrEqual(part.count);
  });

  it("are the same from a file with a table of its entries, and one with path sums or without", async () => {
    for (const settings of [
      ["pack.writeBitmapLookupTable=true"],
      ["pack.writeBitmapHashCache=false"],
      ["pack.writeBitmapLookupTable=true", "pack.writeBitmapHashCache=false"],
    ]) {
      const again = await randomHistory({ format, seed: 7, commits: 160 });
      await spread(again, ...settings);
      const other = openTable(again.directory, format, { warnings });
      expect(bitmapped(other)).toBe(bitmapped(table));
      const random = new Random(34);
      for (let round = 0; round < 10; round++) {
        const question = randomQuestion(again, random);
        const plain = openTable(again.directory, format);
        const [ours, walked] = [other, plain].map((from) => new Set(selected(from, select(from, question))));
        // A walk without bitmaps does not know all that the other side has.
        for (const id of ours as Set<string>) expect(walked).toContain(id);
      }
    }
    expect(warnings).toEqual([]);
  });

  it("are as without bitmaps when the file is broken, which is told of once", async () => {
    const directory = join(history.directory, "objects/pack");
    const file = join(directory, readdirSync(directory).find((name) => name.endsWith(".bitmap")) ?? "");
    const good = readFileSync(file);
    const question = { wants: [history.commits[130] as string], haves: [history.commits[20] as string] };
    const walked = selected(
      openTable(history.directory, format),
      select(openTable(history.directory, format), question),
    );
    const random = new Random(35);
    for (let round = 0; round < 60; round++) {
      const bad = Buffer.from(round % 2 === 0 ? good.subarray(0, random.below(good.length)) : good);
      if (round % 2 === 1) {
        const bit = random.below(bad.length * 8);
        bad[bit >> 3] = (bad[bit >> 3] as number) ^ (1 << (bit & 7));
      }
      const heard: string[] = [];
      const broken = openTable(history.directory, format, { warnings: heard, bitmapBytes: () => bad });
      for (let again = 0; again < 2; again++)
        expect(selected(broken, select(broken, question))).toEqual(walked);
      expect(heard.length).toBe(broken.packs.length);
    }
  });
});
