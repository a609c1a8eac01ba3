import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createTestRepository, git, temporaryDirectory } from "@tooling/test-kit";
import type { ObjectFormat } from "@x/objects";
import { beforeAll, describe, expect, it } from "vitest";
import { CommitTable, type DeepenSearch, findDepths, type ObjectTable } from "../src/index.ts";
import { finish, numberOf, openTable } from "./open-table.ts";
import { type History, randomHistory } from "./random-history.ts";

describe.each<ObjectFormat>(["sha1", "sha256"])("depths, %s", (format) => {
  let history: History;
  let table: ObjectTable;
  let heads: string[];

  beforeAll(async () => {
    history = await randomHistory({ format, seed: 23, commits: 110 });
    table = openTable(history.directory, format);
    heads = (await history.git("for-each-ref", "--format=%(objectname)", "refs/heads")).split("\n");
  });

  /** Where the history of a clone ends after our answer to `search`, when it ended at `before`. */
  function border(search: Partial<DeepenSearch>, before: readonly string[] = []): string[] {
    const clientShallow = before.map((id) => numberOf(table, id));
    const wants = [...new Set(heads)].map((id) => numberOf(table, id));
    const depths = finish(findDepths(new CommitTable(table), { wants, clientShallow, ...search }, new Set()));
    for (const commit of depths.border) expect(depths.inner.has(commit)).toBe(false);
    const kept = clientShallow.filter((commit) => !depths.inner.has(commit));
    return [...new Set([...kept, ...depths.border])].map((number) => table.id(number)).sort();
  }

  async function shallowOf(clone: string): Promise<string[]> {
    const file = join(clone, "shallow");
    return existsSync(file) ? readFileSync(file, "latin1").trim().split("\n").sort() : [];
  }

  async function clone(...flags: readonly string[]): Promise<string> {
    const directory = temporaryDirectory("clone");
    const url = `file://${history.directory}`;
    await git(["clone", "-q", "--bare", "--no-tags", "--no-single-branch", ...flags, url, directory]);
    return directory;
  }

  it.each([1, 2, 3, 7, 20, 1000])("are those of git clone --depth %i", async (depth) => {
    expect(border({ depth })).toEqual(await shallowOf(await clone(`--depth=${depth}`)));
  });

  it("are those of git fetch --depth, deeper and shallower, and of --unshallow", async () => {
    const directory = await clone("--depth=3");
    const fetch = async (...flags: readonly string[]) => {
      const before = await shallowOf(directory);
      await git(["fetch", "-q", "--no-tags", ...flags, "origin", "+refs/heads/*:refs/heads/*"], {
        cwd: directory,
      });
      return before;
    };
    for (const depth of [6, 2, 9]) {
      const before = await fetch(`--depth=${depth}`);
      const after = new Set(await shallowOf(directory));
      // What lies beyond the new border is the client's to forget.
      expect(border({ depth }, before).filter((id) => !before.includes(id) || after.has(id))).toEqual([
        ...after,
      ]);
    }
    for (const depth of [1, 4]) {
      const had = (await git(["rev-list", "--all"], { cwd: directory })).split("\n");
      const before = await fetch(`--deepen=${depth}`);
      // Before 2026 C git also cut off what the client has had already, where a short way leads into it.
      const whole = new Set(had.filter((id) => !before.includes(id)));
      const after = (await shallowOf(directory)).filter((id) => !whole.has(id));
      expect(border({ depth, relative: true }, before)).toEqual(after);
    }
    const before = await fetch("--unshallow");
    expect(before.length).toBeGreaterThan(0);
    expect(border({ depth: Number.POSITIVE_INFINITY }, before)).toEqual([]);
    expect(await shallowOf(directory)).toEqual([]);
  });

  it.each([10, 50, 100])("are those of git clone --shallow-since, %i minutes on", async (minutes) => {
    const since = 1_600_000_000 + minutes * 60;
    expect(border({ since })).toEqual(await shallowOf(await clone(`--shallow-since=${since}`)));
  });

  it("are those of git clone --shallow-since where a merge is older than what it merged", async () => {
    const { directory, gitDirectory, ...odd } = await createTestRepository({ objectFormat: format });
    await odd.commit("root", undefined, 1_000_000_100);
    await odd.git("switch", "-q", "-c", "side");
    for (const at of [300, 400]) await odd.commit(`side ${at}`, { side: `${at}` }, 1_000_000_000 + at);
    await odd.git("switch", "-q", "main");
    const tree = await odd.git("rev-parse", "side^{tree}");
    const env = { GIT_COMMITTER_DATE: "1000000050 +0000" };
    const args = ["commit-tree", "-m", "merge", "-p", "main", "-p", "side~1", tree];
    await odd.git("reset", "-q", "--hard", await git(args, { cwd: directory, env }));
    await odd.commit("top", { top: "t" }, 1_000_000_500);
    await odd.git("repack", "-adq");
    const copy = temporaryDirectory("clone");
    const since = 1_000_000_200;
    const url = `file://${directory}`;
    await git(["clone", "-q", "--bare", "--no-single-branch", `--shallow-since=${since}`, url, copy]);
    const own = openTable(gitDirectory, format);
    const wants = [await odd.git("rev-parse", "main"), await odd.git("rev-parse", "side")];
    const search = { wants: wants.map((id) => numberOf(own, id)), clientShallow: [], since };
    const depths = finish(findDepths(new CommitTable(own), search, new Set()));
    expect([...depths.border].map((number) => own.id(number)).sort()).toEqual(await shallowOf(copy));
    expect([...depths.inner].map((number) => own.id(number) as string)).toEqual([wants[1]]);
  });

  it.each([0, 1, 2])("are those of git clone --shallow-exclude, branch %i", async (branch) => {
    const not = [numberOf(table, await history.git("rev-parse", `b${branch}`))];
    expect(border({ not })).toEqual(await shallowOf(await clone(`--shallow-exclude=b${branch}`)));
  });

  it("say so when nothing is left", () => {
    expect(() => border({ since: 4_000_000_000 })).toThrow(
      expect.objectContaining({
        code: "pack/nothing-selected",
        message: "no commits selected for shallow requests",
      }),
    );
  });

  it("end where the store's own history ends", () => {
    const boundary = new Set(history.commits.slice(30, 34).map((id) => numberOf(table, id)));
    const wants = heads.map((id) => numberOf(table, id));
    const search = { wants, clientShallow: [], depth: Number.POSITIVE_INFINITY };
    const { border: ends, inner } = finish(findDepths(new CommitTable(table, boundary), search, boundary));
    for (const commit of ends) expect(boundary.has(commit)).toBe(true);
    for (const commit of inner) expect(boundary.has(commit)).toBe(false);
    expect(ends.size).toBeGreaterThan(0);
  });
});
