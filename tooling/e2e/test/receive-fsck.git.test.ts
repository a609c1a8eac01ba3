import { git, temporaryDirectory, tryGit } from "@tooling/test-kit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { leftoversIn, refsOf } from "./compare.ts";
import { type Server, startServer } from "./server.ts";

const root = temporaryDirectory("fsck");
const source = `${root}/source.git`;
let server: Server;
let tree: string;

beforeAll(async () => {
  await git(["init", "-q", "--bare", source]);
  tree = await git(["mktree"], { cwd: source, input: "" });
  server = await startServer(root);
});
afterAll(() => server.end());

const write = (type: string, data: string) =>
  git(["hash-object", "-w", "--stdin", "-t", type, "--literally"], { cwd: source, input: data });

const flawed = (line: string) =>
  write("commit", `tree ${tree}\nauthor A <a@example.com> 1 +0000\n${line}\n\nx\n`);

/** Pushes to a new repository, over git:// to our server and beside it to stock git's receive-pack. */
async function both(id: string, name: string, settings: readonly (readonly [string, string])[] = []) {
  const answers: {
    status: number;
    stderr: string;
    refs: readonly unknown[];
    leftovers: readonly string[];
  }[] = [];
  for (const side of ["ours", "git"]) {
    const target = `${root}/${name}-${side}.git`;
    await git(["init", "-q", "--bare", target]);
    for (const [key, value] of [["receive.unpackLimit", "1"], ...settings] as const)
      await git(["config", key, value], { cwd: target });
    if (side === "git" && !settings.some(([key]) => /fsckObjects$/.test(key)))
      await git(["config", "receive.fsckObjects", "true"], { cwd: target });
    const url = side === "ours" ? `${server.git}/${name}-ours.git` : target;
    const { status, stderr } = await tryGit(["push", "-q", url, `${id}:refs/heads/x`], { cwd: source });
    const plain = stderr.replaceAll(url, "<url>").replace(/ +$/gm, "");
    answers.push({
      status,
      stderr: plain,
      refs: [...(await refsOf(target))],
      leftovers: leftoversIn(target),
    });
  }
  return answers as [(typeof answers)[0], (typeof answers)[0]];
}

describe("a push of flawed objects", () => {
  it.each([
    ["a commit without an address", "committer Bugs Bunny 1 +0000"],
    ["a commit with a bad zone", "committer A <a@example.com> 1 +0x00"],
  ])("is refused in git's words: %s", async (name, line) => {
    const [ours, theirs] = await both(await flawed(line), name.replaceAll(" ", "-"));
    expect(ours).toEqual(theirs);
    expect(ours.status).toBe(1);
    expect(ours.stderr).toContain("remote: fatal: fsck error in packed object\n");
    expect(ours.refs.join("\n")).not.toContain("refs/heads/x");
  });

  it("is taken when the repository asks for no more than a warning, which is shown", async () => {
    const id = await flawed("committer Bugs Bunny 2 +0000");
    const [ours, theirs] = await both(id, "warned", [["receive.fsck.missingEmail", "warn"]]);
    expect(ours).toEqual(theirs);
    expect(ours.status).toBe(0);
    expect(ours.stderr).toContain(`remote: warning: object ${id}: missingEmail`);
  });

  it("is taken when the repository wants no checks", async () => {
    const id = await flawed("committer Bugs Bunny 3 +0000");
    const [ours, theirs] = await both(id, "unchecked", [["receive.fsckObjects", "false"]]);
    expect(ours).toEqual(theirs);
    expect(ours).toMatchObject({ status: 0, stderr: "" });
  });

  it("is refused when the settings are no good", async () => {
    const id = await write(
      "commit",
      `tree ${tree}\nauthor A <a@b.c> 1 +0000\ncommitter A <a@b.c> 1 +0000\n\nx\n`,
    );
    const [ours, theirs] = await both(id, "settings", [["receive.fsck.unterminatedHeader", "warn"]]);
    expect(ours.status).toBe(theirs.status);
    for (const { stderr } of [ours, theirs])
      expect(stderr.toLowerCase()).toContain("cannot demote unterminatedheader to warn");
  });
});
