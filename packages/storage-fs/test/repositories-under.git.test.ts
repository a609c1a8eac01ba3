import { mkdirSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createTestRepository, git, temporaryDirectory } from "@tooling/test-kit";
import { describe, expect, it } from "vitest";
import { repositoriesUnder } from "../src/repository/repositories-under.ts";

const outside = temporaryDirectory("outside");
const root = temporaryDirectory("root");
const repositories = repositoriesUnder(root);
const found = async (name: string) => (await repositories.find(name))?.gitDirectory;

describe("repositoriesUnder", () => {
  it("finds what git would find", async () => {
    await git(["init", "-q", "--bare", join(root, "bare.git")]);
    await createTestRepository({ directory: join(root, "team", "tree") });
    expect(await found("bare")).toBe(join(root, "bare.git"));
    expect(await found("/bare.git")).toBe(join(root, "bare.git"));
    expect(await found("team/tree")).toBe(join(root, "team", "tree", ".git"));
    expect(await found("team/tree/.git/")).toBe(join(root, "team", "tree", ".git"));
  });

  it("finds nothing for other names", async () => {
    for (const name of [
      "",
      "team",
      "nothing",
      "bare.git/objects",
      "bare.git/HEAD",
      "team/tree/file",
      "x".repeat(2000),
    ])
      expect(await found(name)).toBeUndefined();
  });

  it("never leaves the root by name", async () => {
    await git(["init", "-q", "--bare", join(outside, "secret.git")]);
    for (const name of [
      `../${outside.split("/").at(-1)}/secret.git`,
      join(outside, "secret.git"),
      `bare.git/../../x`,
    ])
      expect(await found(name)).toBeUndefined();
    const sibling = `${root}_evil`;
    await git(["init", "-q", "--bare", sibling]);
    symlinkSync(sibling, join(root, "sibling"));
    expect(await found("sibling")).toBeUndefined();
    rmSync(sibling, { recursive: true });
  });

  it("never leaves the root by a link in a repository", async () => {
    const secret = join(outside, "deep.git");
    await git(["init", "-q", "--bare", secret]);
    const spoilt: Record<string, (at: string) => void> = {
      link: (at) => symlinkSync(secret, at),
      gitfile: (at) => {
        mkdirSync(at);
        writeFileSync(join(at, ".git"), `gitdir: ${secret}\n`);
      },
      file: (at) => writeFileSync(at, `gitdir: ${secret}\n`),
    };
    for (const [name, make] of Object.entries(spoilt)) {
      make(join(root, name));
      expect(await found(name)).toBeUndefined();
      // The same, if that place is allowed.
      const wider = repositoriesUnder(root, { alsoWithin: [outside] });
      expect((await wider.find(name))?.gitDirectory).toBe(secret);
    }
    for (const part of ["objects", "refs"]) {
      const at = join(root, `${part}.git`);
      await git(["init", "-q", "--bare", at]);
      expect(await found(part)).toBe(at);
      renameSync(join(at, part), join(outside, part));
      symlinkSync(join(outside, part), join(at, part));
      expect(await found(part)).toBeUndefined();
    }
    const known = join(root, "known.git");
    await git(["init", "-q", "--bare", known]);
    await sleep(100); // from now on it may be remembered
    expect(await found("known")).toBe(known);
    expect(await found("known")).toBe(known);
    renameSync(join(known, "objects"), join(outside, "known-objects"));
    symlinkSync(join(outside, "known-objects"), join(known, "objects"));
    expect(await found("known")).toBeUndefined();
    const common = join(root, "common.git");
    await git(["init", "-q", "--bare", common]);
    writeFileSync(join(common, "commondir"), `${secret}\n`);
    expect(await found("common")).toBeUndefined();
    const borrower = join(root, "borrower.git");
    await git(["init", "-q", "--bare", borrower]);
    const lender = join(root, "lender.git");
    await git(["init", "-q", "--bare", lender]);
    symlinkSync(join(secret, "objects"), join(root, "lent"));
    for (const [path, isFound] of [
      [join(lender, "objects"), true],
      ["../../lender.git/objects", true],
      [join(root, "nowhere"), true],
      [join(secret, "objects"), false],
      ["../../lent", false],
      [`../../../${outside.split("/").at(-1)}/deep.git/objects`, false],
    ] as const) {
      writeFileSync(join(borrower, "objects", "info", "alternates"), `${path}\n`);
      expect([path, (await repositoriesUnder(root).find("borrower")) !== undefined]).toEqual([path, isFound]);
    }
    writeFileSync(join(lender, "objects", "info", "alternates"), `${join(secret, "objects")}\n`);
    writeFileSync(join(borrower, "objects", "info", "alternates"), `${join(lender, "objects")}\n`);
    const outsiders: string[][] = [];
    const onOutside = (directory: string, target: string) => outsiders.push([directory, target]);
    expect(await repositoriesUnder(root, { onOutside }).find("borrower")).toBeUndefined();
    expect(outsiders).toEqual([[borrower, join(secret, "objects")]]);
    const wider = repositoriesUnder(root, { alsoWithin: [outside] });
    expect((await wider.find("borrower"))?.gitDirectory).toBe(borrower);
  });

  it("follows links that stay inside", async () => {
    symlinkSync(join(root, "bare.git"), join(root, "alias"));
    expect(await found("alias")).toBe(join(root, "bare.git"));
  });

  it("makes a repository that git takes", async () => {
    for (const objectFormat of ["sha1", "sha256"] as const) {
      const name = `new/${objectFormat}`;
      const layout = await repositories.create(name, { objectFormat, defaultBranch: "trunk" });
      expect(layout.gitDirectory).toBe(join(root, `${name}.git`));
      expect(await found(name)).toBe(layout.gitDirectory);
      const run = (...args: string[]) => git(args, { cwd: layout.gitDirectory });
      expect(await run("rev-parse", "--is-bare-repository", "--show-object-format")).toBe(
        `true\n${objectFormat}`,
      );
      expect(await run("symbolic-ref", "HEAD")).toBe("refs/heads/trunk");
      expect(await run("fsck", "--strict")).toBe("");
      const stock = join(outside, objectFormat);
      await git(["init", "-q", "--bare", `--object-format=${objectFormat}`, stock]);
      expect(statSync(layout.gitDirectory).mode).toBe(statSync(stock).mode);
      expect(await git(["config", "--list", "--file", layout.configFile])).toBe(
        await git(["config", "--list", "--file", join(stock, "config")]),
      );
    }
  });

  it("lets one of two makers win, and leaves no draft", async () => {
    const rounds = await Promise.allSettled(Array.from({ length: 8 }, () => repositories.create("race", {})));
    expect(rounds.filter((round) => round.status === "fulfilled")).toHaveLength(1);
    for (const round of rounds)
      if (round.status === "rejected")
        expect(round.reason).toMatchObject({ code: "storage-fs/repository-exists" });
    expect((await readdir(root)).filter((name) => name.startsWith(".new"))).toEqual([]);
  });

  it("makes none under an unfit name, in a repository, or beyond a link", async () => {
    symlinkSync(outside, join(root, "out"));
    for (const name of ["../x", "-x", "x y", ".x", "out/x", "team/tree/x", "bare.git/x"])
      await expect(repositories.create(name, {})).rejects.toMatchObject({
        code: "storage-fs/bad-repository-name",
      });
    await expect(repositories.create("branch", { defaultBranch: "a..b" })).rejects.toThrow(RangeError);
  });
});
