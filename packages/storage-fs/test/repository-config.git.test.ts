import { symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createTestRepository, git, temporaryDirectory } from "@tooling/test-kit";
import { describe, expect, it } from "vitest";
import { readRepositoryConfig } from "../src/config/repository-config.ts";
import { findRepository } from "../src/repository/layout.ts";

async function open(directory: string) {
  const layout = await findRepository(directory);
  if (layout === undefined) throw new Error("no repository");
  return readRepositoryConfig(layout);
}

describe("readRepositoryConfig", () => {
  it("gives the last value, all values, and keys in any case", async () => {
    const { directory, git: run } = await createTestRepository();
    await run("config", "transfer.hideRefs", "refs/a");
    await run("config", "--add", "transfer.hideRefs", "refs/b");
    await run("config", "remote.Origin.url", "x");
    const config = await open(directory);
    expect(config.get("TRANSFER.HIDEREFS")).toBe("refs/b");
    expect(config.getAll("transfer.hideRefs")).toEqual(["refs/a", "refs/b"]);
    expect(config.get("remote.Origin.URL")).toBe("x");
    expect(config.get("remote.origin.url")).toBeUndefined();
    expect(config.getAll("receive.denyDeletes")).toEqual([]);
  });

  it("gives a section's settings in order, as they are written", async () => {
    const { directory, git: run } = await createTestRepository();
    await run("config", "bundle.Version", "1");
    await run("config", "remote.x.url", "u");
    await run("config", "bundle.Sub.One.URI", "a=b");
    await run("config", "--add", "bundle.version", "2");
    expect([...(await open(directory)).entries("bundle.")]).toEqual([
      { key: "bundle.version", value: "1" },
      { key: "bundle.version", value: "2" },
      { key: "bundle.Sub.One.uri", value: "a=b" },
    ]);
  });

  it("follows no include", async () => {
    const { directory, git: run } = await createTestRepository();
    writeFileSync(join(directory, "other"), "[receive]\ndenyDeletes = true\n");
    await run("config", "include.path", join(directory, "other"));
    expect(await git(["config", "receive.denyDeletes"], { cwd: directory })).toBe("true");
    expect((await open(directory)).get("receive.denyDeletes")).toBeUndefined();
  });

  it("reads config.worktree when it is switched on", async () => {
    const { directory, gitDirectory, git: run } = await createTestRepository();
    writeFileSync(join(gitDirectory, "config.worktree"), "[a]\nb = worktree\n");
    await run("config", "a.b", "shared");
    expect((await open(directory)).get("a.b")).toBe("shared");
    await run("config", "extensions.worktreeConfig", "true");
    expect((await open(directory)).get("a.b")).toBe("worktree");
  });

  it("refuses a huge config and one that is a symlink", async () => {
    const { directory, gitDirectory } = await createTestRepository();
    const path = join(gitDirectory, "config");
    writeFileSync(path, `# ${"x".repeat(1 << 20)}\n`);
    await expect(open(directory)).rejects.toMatchObject({ code: "storage-fs/bad-config" });
    unlinkSync(path);
    const outside = join(temporaryDirectory(), "config");
    writeFileSync(outside, "[core]\nbare = true\n");
    symlinkSync(outside, path);
    await expect(open(directory)).rejects.toMatchObject({ code: "storage-fs/bad-config" });
  });
});
