import { rmSync } from "node:fs";
import { git, temporaryDirectory } from "@tooling/test-kit";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { boundaryOf, expectSound, objectsOf, reachableIn, refsOf } from "./compare.ts";
import { copyRepository, grow, makeRich, START, STEP } from "./fixtures.ts";
import { startServer } from "./server.ts";
import { COMBINATIONS, FORMATS, stockWay, type Way, wayTo } from "./way.ts";

const root = temporaryDirectory("root");
for (const format of FORMATS) await makeRich(`${root}/${format}.git`, format);
const server = await startServer(root);

describe.each(COMBINATIONS)("fetch over $label", ({ transport, version, format }) => {
  const name = `${format}-${transport}-${version}.git`;
  const there = `${root}/${name}`;
  const both: readonly Way[] = [wayTo(server, transport, version), stockWay(root, version)];
  const work = temporaryDirectory("work");
  const [mine, theirs] = [`${work}/${transport}`, `${work}/stock`] as [string, string];

  beforeAll(async () => {
    copyRepository(`${root}/${format}.git`, there);
    await cloneBoth();
  });

  async function cloneBoth(...flags: string[]): Promise<void> {
    await Promise.all(
      both.map(async (way) => {
        const directory = `${work}/${way.transport}`;
        rmSync(directory, { recursive: true, force: true });
        await way.git(["clone", "-q", "--bare", ...flags, way.url(name), directory]);
        await git(["config", "remote.origin.fetch", "+refs/heads/*:refs/remotes/origin/*"], {
          cwd: directory,
        });
      }),
    );
  }

  /** Fetches in both clones; the refs and what they reach have to be the same afterwards. @returns ours' messages */
  async function fetchBoth(...args: string[]): Promise<string> {
    const [finished] = await Promise.all(
      both.map((way) => way.tryGit(["fetch", ...args], { cwd: `${work}/${way.transport}` })),
    );
    expect(finished?.status, finished?.stderr).toBe(0);
    expect(await refsOf(mine)).toEqual(await refsOf(theirs));
    expect(await reachableIn(mine)).toEqual(await reachableIn(theirs));
    return finished?.stderr ?? "";
  }

  afterEach(() => expectSound(mine));

  it("nothing new", async () => {
    await fetchBoth("origin");
    const before = await objectsOf(mine);
    expect(await fetchBoth("origin")).toBe("");
    expect(await objectsOf(mine)).toEqual(before);
  });

  it("new commits on two branches and a new branch", async () => {
    await grow(there, "main", 3);
    await grow(there, "team/side", 1);
    await git(["branch", "fresh", "light"], { cwd: there });
    const said = await fetchBoth("origin");
    expect(said).toContain("[new branch]");
    expect(await git(["rev-parse", "origin/main"], { cwd: mine })).toBe(
      await git(["rev-parse", "main"], { cwd: there }),
    );
  });

  it("tags of what is fetched come along, others do not", async () => {
    await grow(there, "main", 1);
    await git(["tag", "-a", "-m", "followed", "followed", "main"], { cwd: there });
    await git(["tag", "-a", "-m", "twice", "twice", "followed"], { cwd: there });
    await grow(there, "lonely", 1);
    await git(["tag", "-a", "-m", "elsewhere", "elsewhere", "lonely"], { cwd: there });
    await fetchBoth("origin", "+main:refs/remotes/origin/main");
    expect(await git(["tag", "-l", "followed", "twice", "elsewhere"], { cwd: mine })).toBe("followed\ntwice");
    await fetchBoth("--no-tags", "origin");
    expect(await git(["tag", "-l", "elsewhere"], { cwd: mine })).toBe("");
    await fetchBoth("--tags", "origin");
    expect(await git(["tag", "-l", "elsewhere"], { cwd: mine })).toBe("elsewhere");
  });

  it("a branch that was set back and went another way", async () => {
    await git(["update-ref", "refs/heads/main", "main~2"], { cwd: there });
    await grow(there, "main", 2);
    expect(await fetchBoth("origin")).toContain("(forced update)");
    const refused = await Promise.all(
      both.map((way) =>
        way.tryGit(["fetch", "-q", "origin", "main:refs/heads/lonely"], { cwd: `${work}/${way.transport}` }),
      ),
    );
    expect(refused[0]?.status).toBe(1);
    expect(refused[0]?.stderr.replace(/^From .*\n/, "")).toBe(refused[1]?.stderr.replace(/^From .*\n/, ""));
  });

  it("--prune after a deletion", async () => {
    await git(["branch", "-D", "-q", "fresh"], { cwd: there });
    expect(await fetchBoth("--prune", "origin")).toContain("[deleted]");
    expect(await git(["branch", "-r", "--list", "origin/fresh"], { cwd: mine })).toBe("");
  });

  it("a commit by its id: a tip, one below it, and one that nothing reaches", async () => {
    await grow(there, "main", 2);
    const [tip, inner] = await Promise.all(
      ["main", "main~1"].map((name) => git(["rev-parse", name], { cwd: there })),
    );
    const lost = await git(["commit-tree", "-m", "lost", "main^{tree}"], { cwd: there });
    const tryBoth = (id: string) =>
      Promise.all(
        both.map((way) => way.tryGit(["fetch", "-q", "origin", id], { cwd: `${work}/${way.transport}` })),
      );
    if (version === 2) {
      await fetchBoth("origin", `${inner}:refs/heads/inner`);
      // C git gives whatever it has; we give what a ref reaches, as in v0.
      const [refused] = await tryBoth(lost);
      expect(refused?.stderr).toContain(`not our ref ${lost}`);
      expect(refused?.status).toBe(128);
    } else
      for (const id of [inner, lost]) {
        const [refused, theirs] = await tryBoth(id as string);
        expect(refused?.stderr).toBe(theirs?.stderr);
        expect(refused?.stderr).toContain("Server does not allow request for unadvertised object");
      }
    await fetchBoth("origin", `${tip}:refs/heads/by-id`);
    expect(await git(["rev-parse", "by-id"], { cwd: mine })).toBe(tip);
  });

  if (version === 2)
    it("--negotiate-only tells what both have", async () => {
      await grow(mine, "main", 3);
      const ask = (way: Way | undefined) =>
        way?.tryGit(["fetch", "--negotiate-only", "--negotiation-tip=main", way.url(name)], { cwd: mine });
      const [ours, stock] = [await ask(both[0]), await ask(both[1])];
      expect(ours).toEqual(stock);
      expect(ours?.stdout).not.toBe("");
    });

  it("--depth, --deepen, fetch without depth, --shallow-since, --shallow-exclude, --unshallow", async () => {
    await cloneBoth("--depth=1", "--no-single-branch");
    expect(boundaryOf(mine).length).toBeGreaterThan(1);
    await fetchBoth("--deepen=1", "origin");
    await grow(there, "main", 1);
    await fetchBoth("origin");
    await fetchBoth("--depth=4", "origin");
    await fetchBoth(`--shallow-since=${START + 5 * STEP}`, "origin");
    await fetchBoth("--shallow-exclude=light", "origin");
    await fetchBoth("--depth=2", "origin");
    expect(boundaryOf(mine).length).toBeGreaterThan(0);
    await fetchBoth("--unshallow", "origin");
    expect(boundaryOf(mine)).toEqual([]);
  });

  it("a shallow clone that fetches another branch", async () => {
    await cloneBoth("--depth=2", "--single-branch");
    await git(["tag", "late", "lonely"], { cwd: there });
    await fetchBoth("origin", "lonely:refs/heads/lonely");
    await fetchBoth("--depth=1", "origin", "refs/pull/1/head:refs/heads/pull");
    await fetchBoth("--unshallow", "--tags", "origin");
  });

  it("into a repository with much of its own, and into an empty one", async () => {
    await cloneBoth();
    await grow(mine, "main", 40);
    await git(["fetch", "-q", mine, "main:main"], { cwd: theirs });
    await grow(there, "main", 2);
    await fetchBoth("origin");
    for (const way of both) {
      rmSync(`${work}/${way.transport}`, { recursive: true, force: true });
      await git(["init", "-q", "--bare", `--object-format=${format}`, `${work}/${way.transport}`]);
      await git(["remote", "add", "origin", way.url(name)], { cwd: `${work}/${way.transport}` });
    }
    await fetchBoth("origin", "+refs/*:refs/*");
    expect(await objectsOf(mine)).toEqual(await objectsOf(theirs));
  });
});
