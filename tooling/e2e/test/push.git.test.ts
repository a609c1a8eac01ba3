import { existsSync } from "node:fs";
import { git, temporaryDirectory } from "@tooling/test-kit";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { expectSound, leftoversIn, refsOf } from "./compare.ts";
import { copyRepository } from "./fixtures.ts";
import { makePushFixture, pushBoth, type Twins } from "./push-rig.ts";
import { startServer } from "./server.ts";
import { COMBINATIONS, FORMATS, wayTo } from "./way.ts";

const root = temporaryDirectory("root");
const stockRoot = temporaryDirectory("stock");
const server = await startServer(root);
const fixtures = new Map(
  await Promise.all(FORMATS.map(async (format) => [format, await makePushFixture(format)] as const)),
);

describe.each(COMBINATIONS)("push over $label", ({ transport, version, format }) => {
  const fixture = fixtures.get(format) as Awaited<ReturnType<typeof makePushFixture>>;
  const ours = wayTo(server, transport, version);
  const made: Twins[] = [];
  /** A new repository of this kind, and C git's of the same kind, which is made once. */
  const twinsOf = async (kind: string, make: (directory: string) => Promise<unknown>): Promise<Twins> => {
    const name = `${kind}-${format}-${transport}-${version}.git`;
    const [oursAt, stockAt] = [`${root}/${name}`, `${stockRoot}/${kind}-${format}-${version}.git`] as const;
    for (const directory of [oursAt, stockAt]) if (!existsSync(directory)) await make(directory);
    const twins = { name, ours, oursAt, stockAt, work: fixture.work, version, pushes: 0 };
    made.push(twins);
    return twins;
  };
  const init = (directory: string) => git(["init", "-q", "--bare", `--object-format=${format}`, directory]);
  let full: Twins;
  const configure = async (twins: Twins, key: string, value: string) => {
    for (const cwd of [twins.oursAt, twins.stockAt]) await git(["config", key, value], { cwd });
  };
  const push = (...args: string[]) => pushBoth(full, args);
  const tip = (ref: string) => git(["rev-parse", ref], { cwd: fixture.work });

  beforeAll(async () => {
    full = await twinsOf("full", async (directory) => copyRepository(fixture.full, directory));
  });

  afterEach(async () => {
    for (const { oursAt } of made) await expectSound(oursAt);
    made.length = 1;
  });

  it("a new branch of objects that are there, and nothing new", async () => {
    expect((await push("main:refs/heads/copy")).status).toBe(0);
    expect((await push("main:refs/heads/copy")).status).toBe(0);
  });

  it("a new branch with new objects, in a thin pack and in one that is not", async () => {
    expect((await push("ahead~2:refs/heads/thin")).status).toBe(0);
    expect((await push("--no-thin", "ahead~1:refs/heads/thick")).status).toBe(0);
  });

  it("fast-forward, not one, forced, and forced with a lease", async () => {
    expect((await push("ahead:main")).status).toBe(0);
    expect((await push("other:main")).stdout).toContain("[rejected] (");
    expect((await push("+other:main")).stdout).toContain("(forced update)");
    const wrong = await push(`--force-with-lease=main:${await tip("ahead")}`, "ahead:main");
    expect(wrong.stdout).toContain("[rejected] (stale info)");
    const right = await push(`--force-with-lease=main:${await tip("other")}`, "ahead:main");
    expect(right.status).toBe(0);
  });

  it("tags: light, annotated, nested, followed, moved", async () => {
    expect((await push("ahead-light")).status).toBe(0);
    expect((await push("--follow-tags", "ahead:refs/heads/tagged")).status).toBe(0);
    expect((await push("--tags")).status).toBe(0);
    expect((await push("+main:refs/tags/ahead-light")).status).toBe(0);
    expect((await push("main^{tree}:refs/tags/of-a-tree")).status).toBe(0);
  });

  it("deletion of one, of several with an update, of a tag, of none", async () => {
    expect((await push(":copy")).stdout).toContain("[deleted]");
    expect((await push(":thin", "+other:refs/heads/thick")).status).toBe(0);
    expect((await push(":refs/tags/light", ":refs/tags/v1")).status).toBe(0);
    expect((await push(":refs/heads/not-there")).stderr).toContain("deleting a non-existent ref");
  });

  it("--atomic, all of it or nothing", async () => {
    expect((await push("--atomic", "main:refs/heads/a1", "other:refs/heads/a2")).status).toBe(0);
    await configure(full, "receive.denyNonFastForwards", "true");
    const failed = await push("--atomic", "ahead:refs/heads/a1", "+ahead:refs/heads/a2");
    expect(failed.stdout).toContain("[remote rejected] (");
    expect(await git(["rev-parse", "a1"], { cwd: full.oursAt })).toBe(await tip("main"));
  });

  it("what the repository's settings refuse", async () => {
    expect((await push("+main:refs/heads/a2")).stdout).toContain("[remote rejected] (non-fast-forward)");
    await configure(full, "receive.denyNonFastForwards", "false");
    await configure(full, "receive.denyDeletes", "true");
    expect((await push(":a2")).stdout).toContain("[remote rejected] (deletion prohibited)");
    await configure(full, "receive.denyDeletes", "false");
    // Set, so that C git does not explain the setting at length.
    await configure(full, "receive.denyDeleteCurrent", "refuse");
    expect((await push(":main")).stdout).toContain("(deletion of the current branch prohibited)");
  });

  it("through a symbolic ref, which stays one", async () => {
    expect((await push("+other:refs/heads/alias")).status).toBe(0);
    expect(await git(["symbolic-ref", "refs/heads/alias"], { cwd: full.oursAt })).toBe("refs/heads/lonely");
    expect(await git(["rev-parse", "lonely"], { cwd: full.oursAt })).toBe(await tip("other"));
  });

  // The protocol's version is nothing to a push, once it is agreed on.
  const many = version === 0 ? 500 : 50;
  it(`${many} refs at once, and their deletion`, async () => {
    const names = Array.from({ length: many }, (_, i) => `refs/heads/many/${i}`);
    expect((await push(...names.map((name) => `main:${name}`))).status).toBe(0);
    expect((await push(...names.map((name) => `:${name}`))).status).toBe(0);
  });

  it("into an empty repository: one branch, everything, --mirror with what that deletes", async () => {
    const empty = await twinsOf("empty", init);
    expect((await pushBoth(empty, ["main"])).status).toBe(0);
    expect((await pushBoth(empty, ["--all"])).status).toBe(0);
    expect((await pushBoth(empty, ["main:refs/heads/extra"])).status).toBe(0);
    expect((await pushBoth(empty, ["--mirror"])).stdout).toContain("[deleted]");
  });

  it("from a shallow clone", async () => {
    const clone = `${temporaryDirectory("shallow")}/c`;
    await git(["clone", "-q", "--depth=1", `file://${fixture.full}`, clone]);
    await git(["commit", "-q", "--allow-empty", "-m", "on top"], { cwd: clone });
    expect((await pushBoth(full, ["HEAD:refs/heads/from-shallow"], clone)).status).toBe(0);
    const fresh = await twinsOf("fresh", init);
    expect((await pushBoth(fresh, ["HEAD:refs/heads/cut-off"], clone)).stdout).toContain(
      "shallow update not allowed",
    );
  });

  it("to the branch that is checked out where there is a work tree", async () => {
    const tree = await twinsOf("tree", (directory) => git(["clone", "-q", fixture.full, directory]));
    await configure(tree, "receive.denyCurrentBranch", "refuse");
    const refused = await pushBoth(tree, ["ahead:main"]);
    expect(refused.stdout).toContain("[remote rejected] (branch is currently checked out)");
    expect((await pushBoth(tree, ["ahead:refs/heads/beside"])).status).toBe(0);
    expect(await git(["status", "--porcelain"], { cwd: tree.oursAt })).toBe("");
  });

  it("names that are a file here and a directory there: refused in the words of a newer C git", async () => {
    const before = await refsOf(full.oursAt);
    for (const ref of ["refs/heads/main/entry", "refs/heads/team"]) {
      const { status, stdout } = await ours.tryGit(
        ["push", "--porcelain", ours.url(full.name), `main:${ref}`],
        { cwd: fixture.work },
      );
      expect(status).toBe(1);
      expect(stdout).toContain(`refs/heads/main:${ref}\t[remote rejected] (refname conflict)`);
    }
    expect(await refsOf(full.oursAt)).toEqual(before);
    expect(leftoversIn(full.oursAt)).toEqual([]);
  });
});
