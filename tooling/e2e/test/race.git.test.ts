import { git, temporaryDirectory } from "@tooling/test-kit";
import { describe, expect, it } from "vitest";
import { expectSound, leftoversIn } from "./compare.ts";
import { grow } from "./fixtures.ts";
import { startServer } from "./server.ts";
import { FORMATS, wayTo } from "./way.ts";

const root = temporaryDirectory("root");
/** Two processes on the same directory. */
const servers = await Promise.all([startServer(root), startServer(root)]);
const ROUNDS = 20;

describe.each(FORMATS)("%s", (format) => {
  it("two pushers race on one ref through two servers: exactly one wins each round", async () => {
    const name = `race-${format}.git`;
    const there = `${root}/${name}`;
    await git(["init", "-q", "--bare", `--object-format=${format}`, there]);
    await grow(there, "main", 1);
    const works = [0, 1].map((i) => `${temporaryDirectory("work")}/w${i}`);
    for (const work of works) await git(["clone", "-q", "--bare", there, work]);
    const ways = [wayTo(servers[0], "git", 0), wayTo(servers[1], "http", 0)];
    const winners: string[] = [await git(["rev-parse", "main"], { cwd: there })];
    for (let round = 0; round < ROUNDS; round++) {
      const tips = await Promise.all(works.map((work) => grow(work, "main", 1)));
      const results = await Promise.all(
        ways.map((way, i) =>
          way.tryGit(["push", "--porcelain", way.url(name), "main"], { cwd: works[i] as string }),
        ),
      );
      const won = results.flatMap(({ status }, i) => (status === 0 ? [i] : []));
      expect(won, JSON.stringify(results)).toHaveLength(1);
      const winner = won[0] as 0 | 1;
      const said = results[1 - winner]?.stdout;
      // Either the client saw the other's commit already, or the server found that the ref had moved.
      expect(said).toMatch(
        /\[rejected\] \(fetch first\)|\[remote rejected\] \((?:incorrect old value provided|failed to update ref)\)/,
      );
      const tip = await git(["rev-parse", "main"], { cwd: there });
      expect(tip).toBe(tips[winner]);
      winners.push(tip);
      await ways[winner]?.git(["fetch", "-q", ways[winner].url(name), "+main:main"], {
        cwd: works[1 - winner] as string,
      });
    }
    expect((await git(["rev-list", "--reverse", "main"], { cwd: there })).split("\n")).toEqual(winners);
    await expectSound(there);
    expect(leftoversIn(there)).toEqual([]);
  });

  it("32 pushes of as many refs at once, and of the same objects: all are taken", async () => {
    const name = `many-${format}.git`;
    const there = `${root}/${name}`;
    await git(["init", "-q", "--bare", `--object-format=${format}`, there]);
    const work = `${temporaryDirectory("work")}/w`;
    await git(["init", "-q", "--bare", `--object-format=${format}`, work]);
    const tip = await grow(work, "main", 5);
    const results = await Promise.all(
      Array.from({ length: 32 }, (_, i) => {
        const way = wayTo(servers[i % 2] as (typeof servers)[0], i % 4 < 2 ? "git" : "http", 0);
        return way.tryGit(["push", "-q", way.url(name), `main:refs/heads/b/${i}`], { cwd: work });
      }),
    );
    expect(results.filter(({ status }) => status !== 0)).toEqual([]);
    const list = await git(["for-each-ref", "--format=%(objectname)"], { cwd: there });
    expect(list.split("\n")).toEqual(Array(32).fill(tip));
    await expectSound(there);
    expect(leftoversIn(there)).toEqual([]);
  });

  it("a name and a name below it at once: exactly one is made", async () => {
    const name = `files-${format}.git`;
    const there = `${root}/${name}`;
    await git(["init", "-q", "--bare", `--object-format=${format}`, there]);
    const work = `${temporaryDirectory("work")}/w`;
    await git(["init", "-q", "--bare", `--object-format=${format}`, work]);
    await grow(work, "main", 1);
    for (let round = 0; round < 10; round++) {
      const results = await Promise.all(
        [`r${round}`, `r${round}/below`].map((ref, i) => {
          const way = wayTo(servers[i] as (typeof servers)[0], "git", 0);
          return way.tryGit(["push", "-q", way.url(name), `main:refs/heads/${ref}`], { cwd: work });
        }),
      );
      expect(
        results.filter(({ status }) => status === 0),
        JSON.stringify(results),
      ).toHaveLength(1);
    }
    expect((await git(["for-each-ref"], { cwd: there })).split("\n")).toHaveLength(10);
    await expectSound(there);
    expect(leftoversIn(there)).toEqual([]);
  });
});
