import { git, temporaryDirectory, tryGit } from "@tooling/test-kit";
import { describe, expect, it } from "vitest";
import { refsOf } from "./compare.ts";
import { makeRich } from "./fixtures.ts";
import { stockWay, VERSIONS, wayTo } from "./way.ts";

const root = temporaryDirectory("root");
const there = `${root}/full.git`;
await makeRich(there, "sha1");
const main = await git(["rev-parse", "main"], { cwd: there });
for (const name of ["heads/one", "heads/two", "tags/t"])
  await git(["update-ref", `refs/namespaces/a/refs/namespaces/b/refs/${name}`, `${main}~1`], { cwd: there });
const below = "refs/namespaces/a/refs/namespaces/b";
await git(["symbolic-ref", `${below}/HEAD`, `${below}/refs/heads/two`], { cwd: there });
const env = { GIT_NAMESPACE: "a/b" };

describe.each(VERSIONS)("a namespace in v%d", (version) => {
  const ours = wayTo({ root, http: "", git: "" }, "stdio", version);
  const stock = stockWay(root, version);

  it("is all that is cloned, with its own HEAD, as from stock git", async () => {
    const [mine, theirs] = [temporaryDirectory("mine"), temporaryDirectory("theirs")];
    await ours.git(["clone", "-q", "--bare", ours.url("full.git"), mine], { env });
    await stock.git(["clone", "-q", "--bare", stock.url("full.git"), theirs], { env });
    expect(await refsOf(mine)).toEqual(await refsOf(theirs));
    expect(await git(["symbolic-ref", "HEAD"], { cwd: mine })).toBe("refs/heads/two");
  });

  it("takes pushes below its prefix", async () => {
    const cwd = temporaryDirectory("pusher");
    await git(["clone", "-q", "--bare", there, cwd]);
    const push = ["push", ours.url("full.git"), `main:refs/heads/v${version}`];
    const { status, stderr } = await ours.tryGit(push, { cwd, env });
    expect(status, stderr).toBe(0);
    const pushed = await tryGit(["rev-parse", `${below}/refs/heads/v${version}`], { cwd: there });
    expect(pushed.stdout.trim()).toBe(main);
    expect(
      (await tryGit(["rev-parse", "-q", "--verify", `refs/heads/v${version}`], { cwd: there })).status,
    ).toBe(1);
  });
});
