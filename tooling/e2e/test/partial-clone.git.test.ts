import { git, temporaryDirectory } from "@tooling/test-kit";
import { describe, expect, it } from "vitest";
import { expectSound, objectsOf } from "./compare.ts";
import { copyRepository, makeRich } from "./fixtures.ts";
import { startServer } from "./server.ts";
import { FORMATS, once, stockWay, TRANSPORTS, type Way, wayTo, XGIT } from "./way.ts";

const root = temporaryDirectory("root");
for (const format of FORMATS) {
  const repository = `${root}/${format}.git`;
  await makeRich(repository, format);
  // A tree that is wanted by itself and is a commit's too: C git forgets the first, and sends less of it.
  await git(["tag", "-d", "tree"], { cwd: repository });
  await git(["config", "uploadpack.allowFilter", "true"], { cwd: repository });
  // What our server allows by itself.
  await git(["config", "uploadpack.allowReachableSHA1InWant", "true"], { cwd: repository });
}
const strict = copyRepository(`${root}/sha1.git`, `${root}/strict.git`);
for (const [key, value] of [
  ["uploadpackfilter.allow", "false"],
  ["uploadpackfilter.tree.maxDepth", "2"],
  ["uploadpackfilter.combine.allow", "true"],
] as const)
  await git(["config", key, value], { cwd: strict });
const off = copyRepository(`${root}/sha1.git`, `${root}/off.git`);
await git(["config", "uploadpack.allowFilter", "false"], { cwd: off });
const server = await startServer(root);

const FILTERS = [
  "blob:none",
  "blob:limit=0",
  "blob:limit=300",
  "blob:limit=1024",
  "tree:0",
  "tree:1",
  "tree:2",
  "object:type=commit",
  "object:type=tree",
  "combine:tree:2+blob:limit=100",
] as const;

/** What is in a clone that asked for a filter, before anything is fetched later. */
async function filtered(way: Way, repository: string, filter: string): Promise<string[]> {
  const directory = `${temporaryDirectory("clone")}/c.git`;
  await way.git(["clone", "-q", "--bare", `--filter=${filter}`, way.url(repository), directory]);
  expect(await git(["config", "remote.origin.partialclonefilter"], { cwd: directory })).toBe(filter);
  return objectsOf(directory);
}

const WAYS = TRANSPORTS.flatMap((transport) =>
  ([0, 2] as const).map((version) => ({ label: `${transport}, v${version}`, transport, version })),
);

describe.each(WAYS)("over $label", ({ transport, version }) => {
  const ours = wayTo(server, transport, version);
  const stock = stockWay(root, version);

  // What a filter does is the same for all; that it arrives is not.
  const filters = transport === "git" ? FILTERS : FILTERS.filter((_, i) => i % 4 === 1);
  it.each(filters)("a clone with %s holds what it holds from stock git", async (filter) => {
    const theirs = await once(stock, [filter], () => filtered(stock, "sha1.git", filter));
    expect(await filtered(ours, "sha1.git", filter)).toEqual(theirs);
    expect(theirs.length).toBeLessThan((await objectsOf(`${root}/sha1.git`)).length);
  });

  it("a clone without blobs of a sha256 repository holds what it holds from stock git", async () => {
    const theirs = await once(stock, ["sha256"], () => filtered(stock, "sha256.git", "blob:none"));
    expect(await filtered(ours, "sha256.git", "blob:none")).toEqual(theirs);
  });

  it.each(["blob:none", "tree:0"])("what %s left out comes when it is needed", async (filter) => {
    const directory = `${temporaryDirectory("clone")}/c`;
    await ours.git(["clone", "-q", "--no-checkout", `--filter=${filter}`, ours.url("sha1.git"), directory]);
    // Later git has to know by itself what serves it.
    if (transport === "stdio")
      await git(["config", "remote.origin.uploadpack", `${XGIT} upload-pack`], { cwd: directory });
    const env = { GIT_CONFIG_PARAMETERS: `'protocol.version=${version}'` };
    await git(["checkout", "-q", "main"], { cwd: directory, env });
    const files = await git(["ls-tree", "-r", "--name-only", "main"], { cwd: directory });
    expect(files.split("\n").length).toBeGreaterThan(5);
    await git(["log", "-p", "--all"], { cwd: directory, env });
    await expectSound(directory);
  });

  it("a fetch keeps to the clone's filter", async () => {
    const directory = `${temporaryDirectory("clone")}/c.git`;
    await ours.git([
      "clone",
      "-q",
      "--bare",
      "--filter=blob:none",
      "--single-branch",
      "-b",
      "lonely",
      ours.url("sha1.git"),
      directory,
    ]);
    const blobs = async () =>
      (await objectsOf(directory)).filter((line) => line.split(" ")[1] === "blob").length;
    expect(await blobs()).toBe(0);
    await ours.git(["fetch", "-q", "--no-tags", "origin", "+refs/heads/*:refs/heads/*"], { cwd: directory });
    expect(await blobs()).toBe(0);
  });

  it("D9: a filter that is not allowed is refused in git's words, which the user sees", async () => {
    const said = async (filter: string) => {
      const to = temporaryDirectory("refused");
      const { status, stderr } = await ours.tryGit([
        "clone",
        "-q",
        "--bare",
        `--filter=${filter}`,
        ours.url("strict.git"),
        `${to}/c.git`,
      ]);
      expect(status).toBe(128);
      return /remote error: (.*)/.exec(stderr)?.[1];
    };
    expect(await said("blob:none")).toBe("filter 'blob:none' not supported");
    expect(await said("tree:3")).toBe("tree filter allows max depth 2, but got 3");
    expect(await said("combine:tree:1+blob:limit=1")).toBe("filter 'blob:limit' not supported");
    await filtered(ours, "strict.git", "combine:tree:1+tree:2");
  });

  it("a server without filters is told of none, and sends everything", async () => {
    const directory = `${temporaryDirectory("clone")}/c.git`;
    const { status, stderr } = await ours.tryGit([
      "clone",
      "-q",
      "--mirror",
      "--filter=blob:none",
      ours.url("off.git"),
      directory,
    ]);
    expect({ status, warnings: [...new Set(stderr.trim().split("\n"))] }).toEqual({
      status: 0,
      warnings: ["warning: filtering not recognized by server, ignoring"],
    });
    expect(await objectsOf(directory)).toEqual(await reached());
  });
});

/** Every object of the repository that some ref reaches, as {@link objectsOf} writes them. */
async function reached(): Promise<string[]> {
  const mirror = `${temporaryDirectory("mirror")}/m.git`;
  await git(["clone", "-q", "--mirror", "--no-local", `${root}/sha1.git`, mirror]);
  return objectsOf(mirror);
}
