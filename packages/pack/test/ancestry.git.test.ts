import { tryGit } from "@tooling/test-kit";
import type { ObjectFormat } from "@x/objects";
import { beforeAll, describe, expect, it } from "vitest";
import { allReach, CommitTable, type ObjectTable, unreachableCommits } from "../src/index.ts";
import { finish, numberOf, openTable } from "./open-table.ts";
import { Random } from "./random.ts";
import { type History, randomHistory } from "./random-history.ts";

describe.each([
  { format: "sha1" as ObjectFormat, skewed: false },
  { format: "sha256" as ObjectFormat, skewed: false },
  { format: "sha1" as ObjectFormat, skewed: true },
])("ancestry, $format, clocks skewed: $skewed", ({ format, skewed }) => {
  let history: History;
  let table: ObjectTable;
  /** Commit → all that it reaches, itself included. */
  const reached = new Map<string, Set<string>>();

  beforeAll(async () => {
    history = await randomHistory({ format, skewed, seed: 17, commits: 90 });
    table = openTable(history.directory, format);
    for (const commit of history.commits)
      reached.set(commit, new Set((await history.git("rev-list", commit)).split("\n")));
  });

  const reaches = (from: string, to: string) => reached.get(from)?.has(to) === true;

  it("agrees with git merge-base --is-ancestor", async () => {
    const random = new Random(1);
    for (let round = 0; round < 25; round++) {
      const [old, young] = [random.pick(history.commits), random.pick(history.commits)];
      const { status } = await tryGit(["merge-base", "--is-ancestor", old, young], {
        cwd: history.directory,
      });
      const walk = unreachableCommits(new CommitTable(table), new Set([numberOf(table, old)]), [
        numberOf(table, young),
      ]);
      expect(finish(walk).size, `${old} ${young}`).toBe(status);
    }
  });

  it("finds what no tip reaches", () => {
    const random = new Random(2);
    for (let round = 0; round < 300; round++) {
      const sought = random.some(history.commits, random.below(6));
      const tips = random.some(history.commits, random.below(4));
      const lost = finish(
        unreachableCommits(
          new CommitTable(table),
          new Set(sought.map((id) => numberOf(table, id))),
          tips.map((id) => numberOf(table, id)),
        ),
      );
      const expected = sought.filter((id) => !tips.some((tip) => reaches(tip, id)));
      expect([...lost].map((number) => table.id(number)).sort()).toEqual(expected.sort());
    }
  });

  it("says ready when all wants reach something common, and never too early", () => {
    const random = new Random(3);
    let ready = 0;
    for (let round = 0; round < 300; round++) {
      const from = random.some(history.commits, 1 + random.below(3));
      const to = random.some(history.commits, random.below(5));
      const answer = finish(
        allReach(
          new CommitTable(table),
          from.map((id) => numberOf(table, id)),
          new Set(to.map((id) => numberOf(table, id))),
        ),
      );
      const truth = from.every((start) => to.some((end) => reaches(start, end)));
      // Where clocks were wrong it may miss one: then negotiation goes on for a while.
      if (skewed) expect(answer && !truth).toBe(false);
      else expect(answer).toBe(truth);
      if (answer) ready++;
    }
    expect(ready).toBeGreaterThan(20);
  });
});
