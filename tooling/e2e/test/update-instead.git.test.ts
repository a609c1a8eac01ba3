import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { git, temporaryDirectory, tryGit } from "@tooling/test-kit";
import { describe, expect, it } from "vitest";
import { type Server, startServer } from "./server.ts";
import { FORMATS, type Format, stockWay, TRANSPORTS, type Transport, type Way, wayTo } from "./way.ts";

const ROOT = temporaryDirectory("update-instead");
const server: Server = await startServer(ROOT);

/** A repository with files checked out, and a clone of it with a commit more. */
interface Pair {
  readonly name: string;
  readonly there: string;
  readonly work: string;
  inThere(...args: string[]): Promise<string>;
  inWork(...args: string[]): Promise<string>;
}

let pairs = 0;

async function makePair(format: Format, options: { readonly unborn?: boolean } = {}): Promise<Pair> {
  const name = `there${++pairs}`;
  const there = `${ROOT}/${name}`;
  const work = `${temporaryDirectory("work")}/w`;
  const inWork = (...args: string[]) => git(args, { cwd: work });
  await git(["init", "-q", "-b", "main", `--object-format=${format}`, work]);
  mkdirSync(`${work}/dir`);
  for (const path of ["a", "b", "dir/c", "gone"]) writeFileSync(`${work}/${path}`, `${path}\n`);
  await inWork("add", "-A");
  await inWork("commit", "-q", "-m", "one");
  if (options.unborn) await git(["init", "-q", "-b", "main", `--object-format=${format}`, there]);
  else await git(["clone", "-q", work, there]);
  await git(["config", "receive.denyCurrentBranch", "updateInstead"], { cwd: there });
  writeFileSync(`${work}/a`, "changed\n");
  rmSync(`${work}/gone`);
  chmodSync(`${work}/b`, 0o755);
  symlinkSync("dir/c", `${work}/link`);
  writeFileSync(`${work}/dir/new`, "new\n");
  await inWork("add", "-A");
  await inWork("commit", "-q", "-m", "two");
  return { name, there, work, inWork, inThere: (...args) => git(args, { cwd: there }) };
}

const push = (way: Way, { name, work }: Pair, ...refs: string[]) =>
  way.tryGit(["push", "--porcelain", way.url(name), ...refs], { cwd: work });

async function expectUpdated({ there, work, inThere }: Pair): Promise<void> {
  expect(await inThere("status", "--porcelain")).toBe("");
  expect(await inThere("rev-parse", "main")).toBe(await git(["rev-parse", "main"], { cwd: work }));
  expect(await inThere("fsck", "--strict", "--no-progress", "--no-dangling")).toBe("");
  expect(readFileSync(`${there}/a`, "utf8")).toBe("changed\n");
  expect(existsSync(`${there}/gone`)).toBe(false);
}

const WAYS = TRANSPORTS.flatMap((transport) => FORMATS.map((format) => [transport, format] as const));

describe.each(WAYS)("a push to a checked-out branch over %s, %s", (transport, format) => {
  const way = wayTo(server, transport, 0);

  it("brings the files along", async () => {
    const pair = await makePair(format);
    expect(await push(way, pair, "main")).toMatchObject({ status: 0 });
    await expectUpdated(pair);
  });

  it("fills an unborn branch", async () => {
    const pair = await makePair(format, { unborn: true });
    expect(await push(way, pair, "main")).toMatchObject({ status: 0 });
    await expectUpdated(pair);
  });
});

/** What stands in the way, and what git says then. */
const REFUSALS: Readonly<Record<string, (pair: Pair) => unknown>> = {
  "a dirty file": ({ there }) => writeFileSync(`${there}/b`, "mine\n"),
  "a missing file": ({ there }) => rmSync(`${there}/b`),
  "another mode": ({ there }) => chmodSync(`${there}/b`, 0o755),
  "a staged change": async ({ there, inThere }) => {
    writeFileSync(`${there}/b`, "mine\n");
    await inThere("add", "b");
  },
  "an untracked file": ({ there }) => writeFileSync(`${there}/dir/new`, "mine\n"),
};

describe.each(Object.entries(REFUSALS))("a push with %s in the way", (_, before) => {
  it("is refused as by git, and changes nothing", async () => {
    const transport: Transport = TRANSPORTS[pairs % TRANSPORTS.length] as Transport;
    const said: string[] = [];
    for (const way of [stockWay(ROOT, 0), wayTo(server, transport, 0)]) {
      const pair = await makePair("sha1");
      await before(pair);
      const state = () => tryGit(["status", "--porcelain", "--branch"], { cwd: pair.there });
      const earlier = await state();
      const { status, stdout } = await push(way, pair, "main");
      expect(status).toBe(1);
      expect(await state()).toEqual(earlier);
      said.push(/^!.*$/m.exec(stdout)?.[0] ?? stdout);
    }
    expect(said[1]).toBe(said[0]);
    expect(said[1]).toContain("[remote rejected]");
  });
});

describe("linked work trees", () => {
  it("are updated in their own place, from a bare repository too", async () => {
    const pair = await makePair("sha1");
    const bare = `${ROOT}/bare${pairs}.git`;
    await git(["clone", "-q", "--bare", pair.there, bare]);
    await git(["config", "receive.denyCurrentBranch", "updateInstead"], { cwd: bare });
    await git(["worktree", "add", "-q", "-b", "side", `${ROOT}/side${pairs}`], { cwd: bare });
    await git(["symbolic-ref", "HEAD", "refs/heads/unborn"], { cwd: bare });
    const way = wayTo(server, "git", 0);
    const target: Pair = { ...pair, name: `bare${pairs}.git`, there: `${ROOT}/side${pairs}` };
    expect(await push(way, target, "main:side")).toMatchObject({ status: 0 });
    expect(await git(["status", "--porcelain"], { cwd: target.there })).toBe("");
    expect(readFileSync(`${target.there}/a`, "utf8")).toBe("changed\n");
    expect(await push(way, target, ":side")).toMatchObject({ status: 1 });
  });

  it("have their branches kept from deletion, and refuse what the main one may take", async () => {
    const pair = await makePair("sha1");
    await pair.inThere("worktree", "add", "-q", "-b", "side", `${ROOT}/linked${pairs}`);
    writeFileSync(`${ROOT}/linked${pairs}/a`, "mine\n");
    const { status, stdout } = await push(wayTo(server, "http", 0), pair, "main:main", "main:side");
    expect(status).toBe(1);
    expect(stdout).toContain("refs/heads/side\t[remote rejected] (Working directory has unstaged changes)");
    await expectUpdated(pair);
  });
});

it("takes two thousand files, and a commit that changes half of them", async () => {
  const pair = await makePair("sha1", { unborn: true });
  const files = (round: number) => {
    for (let i = 0; i < 2000; i++) {
      mkdirSync(`${pair.work}/many/${i % 40}`, { recursive: true });
      writeFileSync(`${pair.work}/many/${i % 40}/${i}`, `file ${i}, ${i % 2 === 0 ? round : 0}\n`);
    }
  };
  for (const round of [1, 2]) {
    files(round);
    await pair.inWork("add", "-A");
    await pair.inWork("commit", "-q", "-m", `many ${round}`);
    expect(await push(wayTo(server, "git", 0), pair, "main")).toMatchObject({ status: 0 });
    await expectUpdated(pair);
  }
});
