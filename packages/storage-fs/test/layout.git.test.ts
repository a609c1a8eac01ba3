import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createTestRepository, git, temporaryDirectory } from "@tooling/test-kit";
import { describe, expect, it } from "vitest";
import { findRepository, looksBare } from "../src/repository/layout.ts";

describe("findRepository", () => {
  it("finds a work tree's .git, by the work tree and by itself", async () => {
    const { directory, gitDirectory } = await createTestRepository();
    const layout = await findRepository(directory);
    expect(layout).toEqual({
      gitDirectory,
      commonDirectory: gitDirectory,
      objectsDirectory: join(gitDirectory, "objects"),
      refsDirectory: join(gitDirectory, "refs"),
      packedRefsFile: join(gitDirectory, "packed-refs"),
      configFile: join(gitDirectory, "config"),
    });
    expect(layout && looksBare(layout)).toBe(false);
    expect(await findRepository(gitDirectory)).toEqual(layout);
  });

  it("finds NAME.git for NAME, and NAME/.git before both", async () => {
    const root = temporaryDirectory();
    await git(["init", "-q", "--bare", join(root, "a.git")]);
    const bare = await findRepository(join(root, "a"));
    expect(bare?.gitDirectory).toBe(join(root, "a.git"));
    expect(bare && looksBare(bare)).toBe(true);
    await git(["init", "-q", "--bare", join(root, "a")]);
    expect((await findRepository(join(root, "a")))?.gitDirectory).toBe(join(root, "a"));
    await createTestRepository({ directory: join(root, "b") });
    expect((await findRepository(join(root, "b")))?.gitDirectory).toBe(join(root, "b", ".git"));
    await createTestRepository({ directory: join(root, "c.git") });
    expect((await findRepository(join(root, "c")))?.gitDirectory).toBe(join(root, "c.git", ".git"));
  });

  it("follows a gitdir: file", async () => {
    const root = temporaryDirectory();
    await git(["init", "-q", `--separate-git-dir=${join(root, "real")}`, join(root, "tree")]);
    expect((await findRepository(join(root, "tree")))?.gitDirectory).toBe(join(root, "real"));
    writeFileSync(join(root, "tree", ".git"), "gitdir: ../real\r\n");
    expect((await findRepository(join(root, "tree")))?.gitDirectory).toBe(join(root, "real"));
    for (const text of ["", "gitdir: ", "gitdir: ../missing\n", "nonsense\n"]) {
      writeFileSync(join(root, "tree", ".git"), text);
      expect(await findRepository(join(root, "tree"))).toBeUndefined();
    }
  });

  it("shares refs and objects of a linked work tree", async () => {
    const main = await createTestRepository();
    await main.commit("one");
    const linked = join(temporaryDirectory(), "linked");
    await main.git("worktree", "add", "-q", linked);
    const layout = await findRepository(linked);
    expect(layout?.gitDirectory).toBe(join(main.gitDirectory, "worktrees", "linked"));
    expect(layout?.commonDirectory).toBe(main.gitDirectory);
  });

  it("asks for HEAD, objects and refs, as git does", async () => {
    for (const spoil of [
      (at: string) => rmSync(join(at, "HEAD")),
      (at: string) => writeFileSync(join(at, "HEAD"), "ref: elsewhere\n"),
      (at: string) => writeFileSync(join(at, "HEAD"), "0123\n"),
      (at: string) => {
        rmSync(join(at, "HEAD"));
        mkdirSync(join(at, "HEAD"));
      },
      (at: string) => {
        rmSync(join(at, "HEAD"));
        symlinkSync("config", join(at, "HEAD"));
      },
      (at: string) => renameSync(join(at, "objects"), join(at, "gone")),
      (at: string) => {
        rmSync(join(at, "refs"), { recursive: true });
        writeFileSync(join(at, "refs"), "");
      },
      (at: string) => writeFileSync(join(at, "commondir"), "nowhere\n"),
    ]) {
      const { gitDirectory } = await createTestRepository();
      expect(await findRepository(gitDirectory)).toBeDefined();
      spoil(gitDirectory);
      expect(await findRepository(gitDirectory)).toBeUndefined();
    }
  });

  it("takes a detached HEAD and one that is an old symlink", async () => {
    const { gitDirectory, commit } = await createTestRepository();
    writeFileSync(join(gitDirectory, "HEAD"), `${await commit("one")}\n`);
    expect(await findRepository(gitDirectory)).toBeDefined();
    rmSync(join(gitDirectory, "HEAD"));
    symlinkSync("refs/heads/main", join(gitDirectory, "HEAD"));
    expect(await findRepository(gitDirectory)).toBeDefined();
  });

  it("finds nothing where there is nothing", async () => {
    expect(await findRepository(temporaryDirectory())).toBeUndefined();
    expect(await findRepository("/nonexistent/x")).toBeUndefined();
  });
});
