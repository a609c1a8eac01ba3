import { existsSync } from "node:fs";
import { temporaryDirectory } from "@tooling/test-kit";
import { describe, expect, it } from "vitest";
import { expectSound, objectsOf, reachableIn, refsOf } from "./compare.ts";
import { makeRich, START, STEP } from "./fixtures.ts";
import { startServer } from "./server.ts";
import { COMBINATIONS, FORMATS, once, stockWay, type Way, wayTo } from "./way.ts";

const root = temporaryDirectory("root");
for (const format of FORMATS) await makeRich(`${root}/${format}.git`, format);
const server = await startServer(root);

const CLONES: [string, ...string[]][] = [
  ["all of it"],
  ["--depth", "--depth=1"],
  ["a deeper one", "--depth=3", "--no-single-branch"],
  ["--single-branch", "--single-branch"],
  ["--single-branch of another branch", "--single-branch", "--branch=team/side"],
  ["a branch", "--branch=lonely"],
  ["a tag, so that HEAD is detached", "--branch=v1"],
  ["--mirror", "--mirror"],
  ["--bare", "--bare"],
  ["--no-tags", "--no-tags"],
  ["--no-tags of one branch", "--no-tags", "--single-branch"],
  ["--shallow-since", `--shallow-since=${START + 6 * STEP}`],
  ["--shallow-exclude", "--shallow-exclude=light"],
];

const LISTS: string[][] = [
  [],
  ["--symref"],
  ["--heads", "--tags"],
  ["--refs"],
  ["URL", "refs/tags/v*"],
  ["URL", "lonely", "light"],
  ["--symref", "URL", "HEAD"],
  ["URL", "refs/heads/team/side"],
];

async function clone(way: Way, repository: string, flags: readonly string[]) {
  const directory = `${temporaryDirectory("clone")}/c`;
  await way.git(["clone", "-q", ...flags, way.url(repository), directory]);
  const [refs, objects] = await Promise.all([refsOf(directory), objectsOf(directory)]);
  return { directory, refs, objects };
}

function list(way: Way, repository: string, words: readonly string[]): Promise<string> {
  const args = words.includes("URL") ? words : [...words, "URL"];
  return way.git(["ls-remote", ...args.map((word) => (word === "URL" ? way.url(repository) : word))]);
}

describe.each(COMBINATIONS)("over $label", ({ transport, version, format }) => {
  const ours = wayTo(server, transport, version);
  const stock = stockWay(root, version);
  const repository = `${format}.git`;

  it.each(CLONES)("clone: %s", async (_, ...flags) => {
    const [mine, theirs] = await Promise.all([
      clone(ours, repository, flags),
      once(stock, [repository, ...flags], () => clone(stock, repository, flags)),
    ]);
    expect(mine.refs).toEqual(theirs.refs);
    expect(mine.objects).toEqual(theirs.objects);
    await expectSound(mine.directory);
    if (flags.includes("--mirror"))
      expect(await reachableIn(mine.directory)).toEqual(await reachableIn(`${root}/${repository}`));
  });

  it("ls-remote lists the same, with and without patterns", async () => {
    for (const words of LISTS) {
      const mine = await list(ours, repository, words);
      expect(mine, words.join(" ")).not.toBe("");
      expect(mine).toBe(
        await once(stock, [repository, "list", ...words], () => list(stock, repository, words)),
      );
    }
    const none = await ours.tryGit(["ls-remote", "--exit-code", ours.url(repository), "refs/heads/none"]);
    expect(none).toEqual({ status: 2, stdout: "", stderr: "" });
  });

  it("a clone of a branch that is not there fails as with C git, and leaves nothing", async () => {
    const directory = temporaryDirectory("clone");
    const failures = await Promise.all(
      [ours, stock].map((way) =>
        way.tryGit(["clone", "-q", "-b", "none", way.url(repository), `${directory}/${way.transport}`]),
      ),
    );
    // With file:// C git's server shares the terminal, and complains of the client that went.
    const said = failures.map(({ stderr }) =>
      stderr.replace("fatal: the remote end hung up unexpectedly\n", ""),
    );
    expect(said[0]).toBe(said[1]);
    expect(failures.map(({ status }) => status)).toEqual([128, 128]);
    expect(existsSync(`${directory}/${transport}`)).toBe(false);
  });
});
