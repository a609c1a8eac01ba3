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
});
