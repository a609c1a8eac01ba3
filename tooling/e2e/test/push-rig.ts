import { git, type TestRepository, temporaryDirectory } from "@tooling/test-kit";
import { expect } from "vitest";
import { leftoversIn, reachableIn, refsOf } from "./compare.ts";
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
    await git(["update-index", "--add", "--cacheinfo", `100644,${await blob(message)},${file}`], {
      cwd: work,
    });
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
    .filter(
      (line) =>
        !/^(?:remote: )?(?:Unpacking|Resolving|Checking|Enumerating|Counting|Compressing|Writing|Delta|Total)\b/.test(
          line,
        ),
    )
    .join("\n");
}

/** A repository of ours to push to, and how the same pushes end with C git. */
export interface Twins {
  readonly name: string;
  readonly ours: Way;
  readonly oursAt: string;
  /** C git's copy. It takes each push once, for all transports. */
  readonly stockAt: string;
  readonly work: string;
  readonly version: Version;
  /** How many pushes there were. */
  pushes: number;
}

interface Outcome {
  readonly said: Said;
  readonly refs: readonly string[];
  readonly reachable: readonly string[];
}

const outcomes = new Map<string, Promise<Outcome>>();

async function pushTo(way: Way, directory: string, args: readonly string[], from: string) {
  const words = args.includes("URL") ? args : ["URL", ...args];
  const url = way.url(directory.slice(directory.lastIndexOf("/") + 1));
  const said = await way.tryGit(
    ["push", "--porcelain", ...words.map((word) => (word === "URL" ? url : word))],
    {
      cwd: from,
    },
  );
  const [refs, reachable] = await Promise.all([refsOf(directory), reachableIn(directory)]);
  return { said, refs, reachable };
}

/** Pushes the same to both, and compares words, refs and objects. @returns what git said of ours */
export async function pushBoth(
  twins: Twins,
  args: readonly string[],
  from: string = twins.work,
): Promise<Said> {
  const { stockAt, oursAt, version } = twins;
  const key = `${stockAt} ${++twins.pushes}`;
  const stock = stockWay(stockAt.slice(0, stockAt.lastIndexOf("/")), version);
  const theirs = outcomes.get(key) ?? pushTo(stock, stockAt, args, from);
  outcomes.set(key, theirs);
  const [mine, expected] = await Promise.all([pushTo(twins.ours, oursAt, args, from), theirs]);
  expect(comparable(mine.said)).toEqual(comparable(expected.said));
  expect(mine.refs).toEqual(expected.refs);
  expect(mine.reachable).toEqual(expected.reachable);
  expect(leftoversIn(oursAt)).toEqual([]);
  return mine.said;
}
