import { git, type TestRepository, temporaryDirectory } from "@tooling/test-kit";
import { expect } from "vitest";
import { expectSound, leftoversIn, reachableIn, refsOf } from "./compare.ts";
import { makeRich, START, STEP } from "./fixtures.ts";
import { type Format, stockWay, type Version, type Way } from "./way.ts";

/** A bare repository and a clone of it with commits that it lacks. */
export interface PushFixture {
  /** Bare, full; never pushed to itself. */
  readonly full: string;
  /** To push from: `main`; `ahead` of it; `other`, which left it; tags that the server lacks. */
  readonly work: string;
}

/** Makes what pushes need. */
export async function makePushFixture(format: Format): Promise<PushFixture> {
  const directory = temporaryDirectory("push");
  const [full, work] = [`${directory}/full.git`, `${directory}/work`] as const;
  await makeRich(full, format);
  await git(["clone", "-q", full, work]);
  const here: Pick<TestRepository, "git"> = { git: (...args) => git(args, { cwd: work }) };
  await here.git("fetch", "-q", "origin", "+refs/heads/*:refs/heads/*", "--update-head-ok");
  let when = START + 50 * STEP;
  const commit = async (message: string, file: string) => {
    when += STEP;
    const env = { GIT_COMMITTER_DATE: `${when} +0000` };
    await git(["hash-object", "-w", "--stdin"], { cwd: work, input: message });
    await git(["update-index", "--add", "--cacheinfo", `100644,${await blob(message)},${file}`], { cwd: work });
    await git(["commit", "-q", "-m", message], { cwd: work, env });
  };
  const blob = (text: string) => git(["hash-object", "-w", "--stdin"], { cwd: work, input: text });
  await here.git("switch", "-q", "-c", "ahead", "main");
  const grown = await git(["show", "main:grows"], { cwd: work });
  // Big files that differ by a line make thin deltas.
  for (let i = 1; i <= 3; i++) await commit(`${grown}\nahead ${i}\n`, "grows");
  await here.git("tag", "-a", "-m", "of ahead", "ahead-1", "ahead~1");
  await here.git("tag", "-a", "-m", "of a tag", "ahead-nested", "ahead-1");
  await here.git("tag", "ahead-light", "ahead");
  await here.git("reset", "-q", "--hard");
  await here.git("switch", "-q", "-c", "other", "main~2");
  for (let i = 1; i <= 2; i++) await commit(`${grown}\nother ${i}\n`, "grows");
  await here.git("reset", "-q", "--hard");
  await here.git("switch", "-q", "main");
  return { full, work };
}

/** What became of one push, in git's words. */
export interface Said {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Takes out what differs between any two pushes: the address, and how long things took. */
export function comparable(said: Said): Said {
  return { ...said, stdout: plain(said.stdout), stderr: plain(said.stderr) };
}

function plain(text: string): string {
  return text
    .replace(/(?:file|git|http):\/\/\S+?\.git/g, "URL")
    .split("\n")
    .flatMap((line) => line.split("\r").slice(-1))
    .map((line) => line.trimEnd())
    .filter((line) => !/^(?:remote: )?(?:Unpacking|Resolving|Checking|Enumerating|Counting|Compressing|Writing|Delta|Total)\b/.test(line))
    .join("\n");
}

/** Two copies of one repository, ours to push to and C git's. */
export interface Twins {
  readonly name: string;
  readonly ours: Way;
  readonly oursAt: string;
  readonly stockAt: string;
  readonly work: string;
  readonly version: Version;
}

/** Pushes the same to both, and compares words, refs and objects. @returns what git said of ours */
export async function pushBoth(twins: Twins, args: readonly string[], from = twins.work): Promise<Said> {
  const stock = stockWay(twins.stockAt.replace(/\/[^/]+$/, ""), twins.version);
  const command = (way: Way) => {
    const words = args.includes("URL") ? args : ["URL", ...args];
    return ["push", "--porcelain", ...words.map((word) => (word === "URL" ? way.url(twins.name) : word))];
  };
  const mine = await twins.ours.tryGit(command(twins.ours), { cwd: from });
  const theirs = await stock.tryGit(command(stock), { cwd: from });
  expect(comparable(mine)).toEqual(comparable(theirs));
  expect(await refsOf(twins.oursAt)).toEqual(await refsOf(twins.stockAt));
  expect(await reachableIn(twins.oursAt)).toEqual(await reachableIn(twins.stockAt));
  expect(leftoversIn(twins.oursAt)).toEqual([]);
  await expectSound(twins.oursAt);
  return mine;
}
