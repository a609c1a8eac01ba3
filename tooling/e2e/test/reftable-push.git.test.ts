import { readdirSync, readFileSync } from "node:fs";
import { git, moveToReftable, temporaryDirectory } from "@tooling/test-kit";
import { describe, expect, it } from "vitest";
import { leftoversIn } from "./compare.ts";
import { copyRepository, grow } from "./fixtures.ts";
import { comparable, makePushFixture, type Said } from "./push-rig.ts";
import { startServer } from "./server.ts";
import { FORMATS, type Format, stockWay, TRANSPORTS, type Way, wayTo } from "./way.ts";

/** Two processes on the same directory. */
const root = temporaryDirectory("root");
const servers = await Promise.all([startServer(root), startServer(root)]);
const stockRoot = temporaryDirectory("stock");
const fixtures = new Map(
  await Promise.all(FORMATS.map(async (format) => [format, await makePushFixture(format)] as const)),
);
const COMBINATIONS = FORMATS.flatMap((format) => TRANSPORTS.map((transport) => ({ format, transport })));

/** What is seen of a repository from outside: its refs, and that what they reach is sound. */
async function seen(way: Way, name: string): Promise<string> {
  const clone = `${temporaryDirectory("seen")}/c.git`;
  await way.git(["clone", "-q", "--mirror", way.url(name), clone]);
  await git(["fsck", "--strict", "--no-dangling"], { cwd: clone });
  return way.git(["ls-remote", "--symref", way.url(name)]);
}

/** An empty repository of reftables. */
async function empty(name: string, format: Format): Promise<string> {
  const directory = `${root}/${name}`;
  await git(["init", "-q", "--bare", `--object-format=${format}`, directory]);
  await git(["symbolic-ref", "HEAD", "refs/heads/main"], { cwd: directory });
  await grow(directory, "main", 1);
  await moveToReftable(directory, { objectFormat: format });
  return directory;
}

/** Every table is in the list, and nothing else lies there. */
function expectTidy(directory: string): void {
  const list = readFileSync(`${directory}/reftable/tables.list`, "latin1").split("\n").filter(Boolean);
  expect(readdirSync(`${directory}/reftable`).sort()).toEqual([...list, "tables.list"].sort());
  expect(list.length).toBeLessThan(12);
  expect(leftoversIn(directory)).toEqual([]);
}

describe.each(COMBINATIONS)("pushes to reftables over $transport, $format", ({ format, transport }) => {
  it("end as those that C git takes into files", async () => {
    const fixture = fixtures.get(format) as NonNullable<ReturnType<typeof fixtures.get>>;
    const name = `twin-${format}-${transport}.git`;
    for (const base of [root, stockRoot]) copyRepository(fixture.full, `${base}/${name}`);
    await moveToReftable(`${root}/${name}`, { objectFormat: format });
    const ours = wayTo(servers[0], transport, 0);
    const stock = stockWay(stockRoot, 0);
    const push = async (...args: string[]): Promise<Said> => {
      const [mine, theirs] = await Promise.all(
        [ours, stock].map((way) =>
          way.tryGit(["push", "--porcelain", way.url(name), ...args], { cwd: fixture.work }),
        ),
      );
      expect(comparable(mine as Said)).toEqual(comparable(theirs as Said));
      return mine as Said;
    };
    expect((await push("ahead~2:refs/heads/new", "ahead:refs/heads/deep/er/new")).status).toBe(0);
    expect((await push("ahead~1:refs/heads/new")).status).toBe(0);
    expect((await push("+other:refs/heads/new")).stdout).toContain("(forced update)");
    expect((await push("--tags")).status).toBe(0);
    expect((await push("main:refs/heads/new")).stdout).toContain("[rejected]");
    expect((await push("+main:refs/tags/ahead-light", ":refs/tags/ahead-1")).status).toBe(0);
    // Through a symbolic ref, which stays one.
    expect((await push("+other:refs/heads/alias")).status).toBe(0);
    expect((await push("ahead:refs/heads/lonely", "+main:refs/heads/alias")).status).toBe(1);
    // C git names the ref that is in the way in its own words; what becomes of the refs is the same.
    for (const refused of ["deep", "deep/er/new/below"])
      for (const way of [ours, stock])
        expect(
          (await way.tryGit(["push", way.url(name), `main:refs/heads/${refused}`], { cwd: fixture.work }))
            .status,
        ).toBe(1);
    expect((await push(":deep/er/new", "main:refs/heads/deep")).status).toBe(0);
    expect((await push("--atomic", "main:refs/heads/one", ":deep", "+ahead:refs/heads/new")).status).toBe(0);
    const listed = await ours.git(["ls-remote", "--symref", ours.url(name)]);
    for (const way of [ours, stock])
      expect(
        (
          await way.tryGit(
            ["push", "--atomic", way.url(name), "main:refs/heads/two", "main:refs/heads/one/below"],
            { cwd: fixture.work },
          )
        ).status,
      ).toBe(1);
    expect(await seen(ours, name)).toBe(listed);
    expect(listed).toBe(await stock.git(["ls-remote", "--symref", stock.url(name)]));
    expectTidy(`${root}/${name}`);
  });
});

describe.each(FORMATS)("pushes at the same time, %s", (format) => {
  it("two of one ref through two servers: exactly one wins each round", async () => {
    const name = `race-${format}.git`;
    const there = await empty(name, format);
    const ways = [wayTo(servers[0], "git", 0), wayTo(servers[1], "http", 0)] as const;
    const works = [0, 1].map((i) => `${temporaryDirectory("work")}/w${i}`);
    for (const work of works) await ways[0].git(["clone", "-q", "--bare", ways[0].url(name), work]);
    for (let round = 0; round < 8; round++) {
      const tips = await Promise.all(works.map((work) => grow(work, "main", 1)));
      const results = await Promise.all(
        ways.map((way, i) =>
          way.tryGit(["push", "--porcelain", way.url(name), "main"], { cwd: works[i] ?? "" }),
        ),
      );
      const won = results.flatMap(({ status }, i) => (status === 0 ? [i] : []));
      expect(won, JSON.stringify(results)).toHaveLength(1);
      const winner = won[0] as 0 | 1;
      expect(results[1 - winner]?.stdout).toMatch(
        /\[rejected\] \(fetch first\)|\[remote rejected\] \((?:incorrect old value provided|failed to update ref)\)/,
      );
      expect(await ways[0].git(["ls-remote", ways[0].url(name), "refs/heads/main"])).toContain(tips[winner]);
      await ways[winner].git(["fetch", "-q", ways[winner].url(name), "+main:main"], {
        cwd: works[1 - winner] ?? "",
      });
    }
    expectTidy(there);
  });

  it("eight pushers of as many refs, several times: all are taken", async () => {
    const name = `many-${format}.git`;
    const there = await empty(name, format);
    const way = wayTo(servers[0], "git", 0);
    const work = `${temporaryDirectory("work")}/w`;
    await way.git(["clone", "-q", "--bare", way.url(name), work]);
    for (let round = 0; round < 3; round++) {
      const tip = await grow(work, "main", 1);
      const results = await Promise.all(
        Array.from({ length: 8 }, (_, i) => {
          const through = wayTo(servers[0], i % 2 === 0 ? "git" : "http", 0);
          return through.tryGit(["push", "-q", through.url(name), `+main:refs/heads/b/${i}`], { cwd: work });
        }),
      );
      expect(results.filter(({ status }) => status !== 0)).toEqual([]);
      const lines = (await way.git(["ls-remote", way.url(name), "refs/heads/b/*"]))
        .split("\n")
        .filter(Boolean);
      expect(lines).toEqual(Array.from({ length: 8 }, (_, i) => `${tip}\trefs/heads/b/${i}`));
    }
    expectTidy(there);
  });

  it("a name and a name below it: exactly one is made", async () => {
    const name = `below-${format}.git`;
    const there = await empty(name, format);
    const work = `${temporaryDirectory("work")}/w`;
    const ways = [wayTo(servers[0], "git", 0), wayTo(servers[1], "git", 0)] as const;
    await ways[0].git(["clone", "-q", "--bare", ways[0].url(name), work]);
    for (let round = 0; round < 4; round++) {
      const results = await Promise.all(
        [`r${round}`, `r${round}/below`].map((ref, i) =>
          (ways[i] as Way).tryGit(["push", "-q", ways[0].url(name), `main:refs/heads/${ref}`], { cwd: work }),
        ),
      );
      expect(
        results.filter(({ status }) => status === 0),
        JSON.stringify(results),
      ).toHaveLength(1);
    }
    expectTidy(there);
  });
});
