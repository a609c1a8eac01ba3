import { createTestRepository, git, temporaryDirectory, tryGit } from "@tooling/test-kit";
import { describe, expect, it } from "vitest";
import { committerOf } from "../src/stdio/committer.ts";

const BIN = new URL("../dist/bin.js", import.meta.url).pathname;
const OURS = `--receive-pack='${process.execPath}' '${BIN}' receive-pack`;

/** The latest line of `main`'s reflog, less its time, after a push by this receive-pack in this environment. */
async function logged(receivePack: readonly string[], env: Record<string, string>) {
  const source = await createTestRepository({ objectFormat: "sha1" });
  await source.commit("one");
  const bare = `${temporaryDirectory("reflog")}/r.git`;
  await git(["init", "-q", "--bare", bare]);
  await git(["--git-dir", bare, "config", "core.logAllRefUpdates", "true"]);
  const pushed = await tryGit(["push", "-q", ...receivePack, bare, "HEAD:refs/heads/main"], {
    cwd: source.directory,
    env,
  });
  expect(pushed.stderr).toBe("");
  return (await git(["--git-dir", bare, "log", "-g", "-1", "--format=%gn <%ge> %gs", "main"])).trim();
}

describe("the reflog of a push", () => {
  it.each([
    [{ GIT_COMMITTER_NAME: " É. Mitter,", GIT_COMMITTER_EMAIL: "<e@example.com>" }],
    [{ GIT_COMMITTER_EMAIL: "", EMAIL: "e@example.com" }],
  ])("names whom C git names for %j", async (env) => {
    expect(await logged([OURS], env)).toBe(await logged([], env));
  });

  it("names whom the settings name where the environment is silent", () => {
    const config = (settings: Record<string, string>) => ({ get: (key: string) => settings[key] });
    const all = { "user.name": "U", "user.email": "u@example.com", "committer.name": "\xc3\xa9" };
    expect(committerOf({}, config(all))).toBe("é <u@example.com>");
    expect(committerOf({ EMAIL: "e@example.com" }, config({ "user.name": "U" }))).toBe("U <e@example.com>");
    expect(committerOf({ GIT_COMMITTER_NAME: "C" }, config(all))).toBe("C <u@example.com>");
    expect(committerOf({}, config({}))).toMatch(/^\S+ <\S+@\S+>$/);
  });
});
