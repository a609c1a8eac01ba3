import { spawnSync } from "node:child_process";
import { appendFileSync } from "node:fs";
import { createTestRepository, git, gitEnvironment, temporaryDirectory, tryGit } from "@tooling/test-kit";
import { describe, expect, it } from "vitest";
import { leftoversIn } from "./compare.ts";
import { BIN } from "./server.ts";
import { FORMATS } from "./way.ts";

function haves(text: string): string[] {
  return [...text.matchAll(/([0-9a-f]{40,64}) \.have/g)].map(([, id]) => id as string);
}

/** What C git and we tell a pusher of. */
async function announced(repository: string): Promise<{ theirs: string[]; ours: string[] }> {
  const args = ["receive-pack", "--http-backend-info-refs", repository];
  const theirs = await tryGit(args);
  const ours = spawnSync(process.execPath, [BIN, ...args], { encoding: "latin1", env: gitEnvironment() });
  expect([theirs.status, ours.status, ours.stderr]).toEqual([0, 0, ""]);
  return { theirs: haves(theirs.stdout), ours: haves(ours.stdout) };
}

describe.each(FORMATS)("what alternates hold, %s", (format) => {
  it("is told to pushers, each id once, as by C git", async () => {
    const root = temporaryDirectory("lent");
    const source = await createTestRepository({ objectFormat: format });
    for (const name of ["one", "two", "three"]) await source.commit(name);
    await git(["tag", "-a", "-m", "v1", "v1", "main~1"], { cwd: source.directory });
    await git(["clone", "-q", "--bare", source.directory, `${root}/far.git`]);
    await git(["clone", "-q", "--bare", "-s", `${root}/far.git`, `${root}/near.git`]);
    await git(["clone", "-q", "--bare", "-s", `${root}/near.git`, `${root}/fork.git`]);
    const fork = `${root}/fork.git`;
    expect((await announced(fork)).ours).toEqual([]);
    for (const ref of ["refs/heads/main", "refs/tags/v1"])
      await git(["update-ref", "-d", ref], { cwd: fork });
    await git(["branch", "old", "main~2"], { cwd: `${root}/near.git` });
    await git(["branch", "older", "main~2"], { cwd: `${root}/far.git` });
    const { theirs, ours } = await announced(fork);
    expect(theirs).toHaveLength(3);
    expect(ours).toEqual(theirs);

    for (const prefixes of ["refs/tags/", "refs/heads/old refs/none", "refs/heads/ol"]) {
      await git(["config", "core.alternateRefsPrefixes", prefixes], { cwd: fork });
      const some = await announced(fork);
      expect(some.ours).toEqual(some.theirs);
    }
    appendFileSync(`${fork}/objects/info/alternates`, `${root}/gone.git/objects\n/nowhere\n`);
    await git(["config", "--unset", "core.alternateRefsPrefixes"], { cwd: fork });
    expect((await announced(fork)).ours).toEqual(theirs);
  });

  it("need not be sent", async () => {
    const root = temporaryDirectory("lent");
    const source = await createTestRepository({ objectFormat: format });
    await source.commit("one");
    await git(["clone", "-q", "--bare", source.directory, `${root}/base.git`]);
    await git(["clone", "-q", "--bare", "-s", `${root}/base.git`, `${root}/fork.git`]);
    await git(["update-ref", "-d", "refs/heads/main"], { cwd: `${root}/fork.git` });
    await source.commit("two");
    const command = `--receive-pack='${process.execPath}' '${BIN}' receive-pack`;
    const args = ["push", "--progress", command, `${root}/fork.git`, "main:refs/heads/new"];
    const { status, stderr } = await tryGit(args, { cwd: source.directory });
    expect([status, /^Total (\d+) /m.exec(stderr)?.[1]]).toEqual([0, "3"]);
    await git(["fsck", "--full"], { cwd: `${root}/fork.git` });
    expect(leftoversIn(`${root}/fork.git`)).toEqual([]);
  });
});
