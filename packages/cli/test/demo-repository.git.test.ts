import { git, temporaryDirectory } from "@tooling/test-kit";
import { describe, expect, it, onTestFinished } from "vitest";
import { openStorage } from "../src/compose.ts";
import { makeDemoRepository } from "../src/serve/demo-repository.ts";

describe("makeDemoRepository", () => {
  it("makes what git finds sound, and can clone", async () => {
    const directory = `${temporaryDirectory("demo")}/demo.git`;
    const storage = openStorage({});
    onTestFinished(() => storage.close());
    await makeDemoRepository(storage, directory, 1_700_000_000);
    expect(await git(["fsck", "--strict", "--no-dangling"], { cwd: directory })).toBe("");
    expect(await git(["log", "--format=%s %an %at", "main"], { cwd: directory })).toBe(
      "Add a greeting xgit 1700000000\nSay what this is xgit 1700000000",
    );
    expect(await git(["for-each-ref", "--format=%(refname) %(objecttype)"], { cwd: directory })).toBe(
      "refs/heads/main commit\nrefs/tags/v1.0 tag",
    );
    expect(await git(["ls-tree", "-r", "--name-only", "main"], { cwd: directory })).toBe(
      "README.md\ngreetings/hello.txt",
    );
  });
});
