import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ObjectFormat } from "@x/objects";
import { beforeAll, describe, expect, it } from "vitest";
import { type EnumerateRequest, enumerateObjects, type ObjectTable, type Selection } from "../src/index.ts";
import { finish, numberOf, openTable } from "./open-table.ts";
import { Random } from "./random.ts";
import { type History, randomHistory } from "./random-history.ts";

interface Question {
  readonly wants: readonly string[];
  readonly haves: readonly string[];
  readonly shallow?: readonly string[];
}

/** What git lists for a question; without its haves, everything that the wants reach. */
async function listed({ git, directory }: History, question: Question): Promise<Set<string>> {
  const graft = join(directory, "test-shallow");
  writeFileSync(graft, (question.shallow ?? []).map((id) => `${id}\n`).join(""));
  const revisions = [...question.wants, ...question.haves.map((id) => `^${id}`)];
  const list = await git(
    "--shallow-file",
    question.shallow === undefined ? "" : graft,
    "rev-list",
    "--objects",
    "--no-object-names",
    ...revisions,
  );
  return new Set(list === "" ? [] : list.split("\n"));
}

function select(table: ObjectTable, question: Question): Selection {
  const numbers = (ids: readonly string[]) => ids.map((id) => numberOf(table, id));
  const request: EnumerateRequest = {
    wants: numbers(question.wants),
    haves: numbers(question.haves),
    ...(question.shallow === undefined ? {} : { shallow: new Set(numbers(question.shallow)) }),
  };
  return finish(enumerateObjects(table, request));
}

function selected(table: ObjectTable, selection: Selection): Set<string> {
  const ids = new Set<string>();
  for (let number = 0; number < table.count; number++)
    if (selection.isSelected(number)) {
      expect(ids.has(table.id(number)), "an object in two packs was selected twice").toBe(false);
      ids.add(table.id(number));
    }
  expect(ids.size).toBe(selection.count);
  return ids;
}

const missing = (from: Set<string>, ...parts: readonly Set<string>[]) =>
  [...from].filter((id) => !parts.some((part) => part.has(id)));

/** Wants and haves of every kind and in every position. */
async function randomQuestion(history: History, random: Random): Promise<Question> {
  const { commits, tags } = history;
  const inside = async (commit: string) => {
    const entries = (await history.git("ls-tree", "-r", "-t", commit)).split("\n");
    const [, type = "", rest = ""] = random.pick(entries).split(" ");
    return type === "commit" ? commit : rest.slice(0, rest.indexOf("\t"));
  };
  const wants = random.some(commits, 1 + random.below(3));
  const haves = random.some(commits, random.below(4));
  if (random.once(3)) wants.push(...random.some(tags, 2));
  if (random.once(4)) wants.push(await inside(random.pick(commits)));
  if (random.once(3)) haves.push(...random.some(tags, 2));
  return { wants, haves };
}

describe.each<ObjectFormat>(["sha1", "sha256"])("objects that a fetch needs, %s", (format) => {
  let history: History;

  beforeAll(async () => {
    history = await randomHistory({ format, seed: 3, commits: 140 });
    const { commits, git } = history;
    // Three packs that overlap, and loose objects.
    for (const from of [20, 60]) {
      await git("update-ref", "refs/heads/keep", commits[from] as string);
      await git("repack", "-q", "--window=10", "-l");
    }
    await git("repack", "-adfq", "--depth=40", "--keep-unreachable");
  });

  it("are those that git lists", async () => {
    const table = openTable(history.directory, format);
    const random = new Random(11);
    let found = 0;
    for (let round = 0; round < 60; round++) {
      const question = await randomQuestion(history, random);
      const ours = selected(table, select(table, question));
      const theirs = await listed(history, question);
      expect({ round, extra: missing(ours, theirs), missing: missing(theirs, ours) }).toEqual({
        round,
        extra: [],
        missing: [],
      });
      found += ours.size;
    }
    expect(found).toBeGreaterThan(1000);
  });

  it("are the same ones below commits that are taken to have no parents", async () => {
    const table = openTable(history.directory, format);
    const random = new Random(12);
    for (let round = 0; round < 40; round++) {
      const { commits } = history;
      const wants = random.some(commits, 2);
      const haves = random.some(commits, random.below(3));
      const shallow = random.some(commits, 1 + random.below(10));
      const question = { wants, haves, shallow };
      const ours = selected(table, select(table, question));
      const theirs = await listed(history, question);
      const reachable = await listed(history, { wants, haves: [], shallow });
      const had =
        haves.length === 0 ? new Set<string>() : await listed(history, { wants: haves, haves: [], shallow });
      expect({ round, missing: missing(reachable, ours, had) }).toEqual({ round, missing: [] });
      expect({ round, foreign: missing(ours, reachable) }).toEqual({ round, foreign: [] });
      expect({ round, extra: missing(ours, theirs) }).toEqual({ round, extra: [] });
    }
  });

  it("are all there, whatever the clocks said", async () => {
    const skewed = await randomHistory({ format, seed: 5, commits: 140, skewed: true });
    const table = openTable(skewed.directory, format);
    const random = new Random(13);
    for (let round = 0; round < 60; round++) {
      const question = await randomQuestion(skewed, random);
      const ours = selected(table, select(table, question));
      const reachable = await listed(skewed, { wants: question.wants, haves: [] });
      const had =
        question.haves.length === 0
          ? new Set<string>()
          : await listed(skewed, { wants: question.haves, haves: [] });
      expect({ round, missing: missing(reachable, ours, had) }).toEqual({ round, missing: [] });
      expect({ round, foreign: missing(ours, reachable) }).toEqual({ round, foreign: [] });
    }
  });

  it("never count as had when the other side lacks them", async () => {
    const table = openTable(history.directory, format);
    const random = new Random(14);
    for (let round = 0; round < 20; round++) {
      const question = await randomQuestion(history, random);
      const selection = select(table, question);
      const had =
        question.haves.length === 0
          ? new Set<string>()
          : await listed(history, { wants: question.haves, haves: [] });
      for (let number = 0; number < table.count; number++)
        if (selection.isHad(number)) expect(had.has(table.id(number)), `round ${round}`).toBe(true);
    }
  });
});
