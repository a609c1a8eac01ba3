import { chmodSync, writeFileSync } from "node:fs";
import { createTestRepository, git, temporaryDirectory, tryGit } from "@tooling/test-kit";
import { describe, expect, it } from "vitest";
import { BIN } from "./server.ts";

const root = temporaryDirectory("prune-while-pushing");

/** Takes away the only branch that leads to what is pushed, and all that is loose or in packs of it. */
const PRUNE = `#!/bin/sh
unset GIT_QUARANTINE_PATH GIT_OBJECT_DIRECTORY GIT_ALTERNATE_OBJECT_DIRECTORIES
git update-ref -d refs/heads/only
git reflog expire --expire=now --all
git gc -q --prune=now
git repack -adq
git prune --expire=now
`;

/** A repository in which one branch alone leads to a commit, and somebody who pushes that commit elsewhere. */
async function prepare(name: string, packed: boolean): Promise<{ url: string; work: string; tip: string }> {
  const work = await createTestRepository();
  const first = await work.commit("first", { a: "a\n" });
  const tip = await work.commit("second", { a: "b\n" });
  const url = `${root}/${name}`;
  await git(["init", "-q", "--bare", url]);
  await work.git("push", "-q", url, `${first}:refs/heads/main`, `${tip}:refs/heads/only`);
  if (packed) await git(["gc", "-q"], { cwd: url });
  writeFileSync(`${url}/hooks/update`, PRUNE);
  chmodSync(`${url}/hooks/update`, 0o755);
  return { url, work: work.directory, tip };
}

async function push(url: string, work: string, args: readonly string[]) {
  const receiver = `--receive-pack=${process.execPath} ${BIN} receive-pack`;
  return tryGit(["push", "--porcelain", receiver, url, ...args], { cwd: work });
}

describe("what was stored before a push and is pruned by git gc while it runs", () => {
  for (const packed of [false, true])
    it(`becomes no ref's value: ${packed ? "packed" : "loose"}`, async () => {
      const { url, work, tip } = await prepare(`each-${packed}.git`, packed);
      const said = await push(url, work, [`${tip}:refs/heads/new`, "main~1:refs/heads/fine"]);
      expect(said.stdout).toContain("[remote rejected] (missing necessary objects)");
      expect(await git(["for-each-ref", "--format=%(refname)"], { cwd: url })).toBe(
        "refs/heads/fine\nrefs/heads/main",
      );
      expect((await tryGit(["fsck", "--strict"], { cwd: url })).status).toBe(0);
    });

  it("fails an atomic push as a whole", async () => {
    const { url, work, tip } = await prepare("all.git", true);
    const said = await push(url, work, ["--atomic", `${tip}:refs/heads/new`, "main~1:refs/heads/fine"]);
    expect(said.stdout).toContain("[remote rejected] (missing necessary objects)");
    expect(said.stdout).toContain("[remote rejected] (atomic transaction failed)");
    expect(await git(["for-each-ref", "--format=%(refname)"], { cwd: url })).toBe("refs/heads/main");
  });
});
