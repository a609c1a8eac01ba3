import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createTestRepository, git, type TestRepository, temporaryDirectory } from "@tooling/test-kit";
import { resolveRef } from "@x/refs";
import { describe, expect, it } from "vitest";
import { listAll, openRefs } from "./open-refs.ts";

/** What git says the refs are, symbolic ones resolved, tags peeled as packed-refs has them. */
async function gitRefs(directory: string, ...patterns: string[]): Promise<string[]> {
  const format = "--format=%(objectname) %(refname)";
  const out = await git(["for-each-ref", format, ...patterns], { cwd: directory });
  return out === "" ? [] : out.split("\n");
}

async function ourRefs(directory: string, prefixes?: readonly string[]): Promise<string[]> {
  const refs = await openRefs(directory);
  const lines: string[] = [];
  for (const { name } of await listAll(refs, prefixes)) {
    const resolved = await resolveRef(refs, name);
    if (resolved?.status === "found") lines.push(`${resolved.id} ${name}`);
  }
  return lines;
}

const ODD = [
  "refs/heads/\xff\xfe",
  "refs/heads/caf\xc3\xa9",
  "refs/heads/a-b",
  "refs/heads/a.b",
  "refs/heads/a/b",
  'refs/tags/"q"',
  "refs/x/@",
  "refs/heads/HEAD",
  "refs/heads/-dash",
];

async function update(repository: TestRepository, lines: readonly string[]): Promise<void> {
  const input = Buffer.from(lines.map((line) => `${line}\n`).join(""), "latin1");
  await git(["update-ref", "--stdin"], { cwd: repository.directory, input });
}

describe.each(["sha1", "sha256"] as const)("createFileRefs reads what git wrote, %s", (objectFormat) => {
  it("loose, packed and mixed, with odd names", async () => {
    const repository = await createTestRepository({ objectFormat });
    const { directory } = repository;
    expect(await ourRefs(directory)).toEqual([]);
    const one = await repository.commit("one");
    await update(
      repository,
      ODD.map((name) => `create ${name} ${one}`),
    );
    await repository.git("tag", "-a", "-m", "x", "annotated");
    await repository.git("tag", "-a", "-m", "x", "nested", "annotated");
    expect(await ourRefs(directory)).toEqual(await gitRefs(directory));
    expect((await ourRefs(directory)).length).toBe(ODD.length + 3);
    await repository.git("pack-refs", "--all", "--prune");
    expect(await ourRefs(directory)).toEqual(await gitRefs(directory));
    const two = await repository.commit("two");
    await update(repository, [
      `update refs/heads/\xff\xfe ${two}`,
      `create refs/heads/zz ${two}`,
      `delete refs/heads/a/b`,
    ]);
    expect(await ourRefs(directory)).toEqual(await gitRefs(directory));
    expect(await ourRefs(directory)).toContain(`${two} refs/heads/\xff\xfe`);
  });

  it("tells what packed tags peel to", async () => {
    const repository = await createTestRepository({ objectFormat });
    const commit = await repository.commit("one");
    await repository.git("tag", "-a", "-m", "x", "annotated");
    await repository.git("tag", "-a", "-m", "x", "nested", "annotated");
    await repository.git("tag", "light");
    const before = await listAll(await openRefs(repository.directory));
    expect(before.map((ref) => ref.peeled)).toEqual([undefined, undefined, undefined, undefined]);
    await repository.git("pack-refs", "--all");
    const after = await listAll(await openRefs(repository.directory));
    expect(after.map((ref) => [ref.name, ref.peeled])).toEqual([
      ["refs/heads/main", null],
      ["refs/tags/annotated", commit],
      ["refs/tags/light", null],
      ["refs/tags/nested", commit],
    ]);
  });

  it("selects by prefix as plain text", async () => {
    const repository = await createTestRepository({ objectFormat });
    const one = await repository.commit("one");
    const names = ["refs/heads/ma", "refs/heads/mb/x", "refs/heads/mb/y", "refs/tags/a", "refs/x/a"];
    await update(
      repository,
      names.map((name) => `create ${name} ${one}`),
    );
    for (const pack of [false, true]) {
      if (pack) await repository.git("pack-refs", "--all");
      const ours = async (...prefixes: string[]) =>
        (await ourRefs(repository.directory, prefixes)).map((line) => line.slice(line.indexOf(" ") + 1));
      expect(await ours("refs/heads/m")).toEqual([
        "refs/heads/ma",
        "refs/heads/main",
        "refs/heads/mb/x",
        "refs/heads/mb/y",
      ]);
      expect(await ours("refs/heads/mb")).toEqual(["refs/heads/mb/x", "refs/heads/mb/y"]);
      expect(await ours("refs/heads/mb/x/y", "HEAD", "refs/heads/mainly")).toEqual([]);
      expect(await ours("refs/x/", "refs/tags/a", "refs/tags/", "refs/heads/ma")).toEqual([
        "refs/heads/ma",
        "refs/heads/main",
        "refs/tags/a",
        "refs/x/a",
      ]);
      expect(await ours("re")).toHaveLength(6);
      expect(await ours()).toEqual([]);
    }
  });
});

describe("createFileRefs and symbolic, broken and foreign files", () => {
  it("gives symbolic refs as they are, HEAD included", async () => {
    const repository = await createTestRepository();
    await repository.commit("one");
    await repository.git("symbolic-ref", "refs/heads/alias", "refs/heads/main");
    await repository.git("symbolic-ref", "refs/remotes/origin/HEAD", "refs/heads/nowhere");
    const refs = await openRefs(repository.directory);
    expect(await refs.get("HEAD")).toEqual({
      name: "HEAD",
      target: { kind: "symbolic", name: "refs/heads/main" },
    });
    expect(await refs.get("refs/heads/alias")).toMatchObject({ target: { name: "refs/heads/main" } });
    expect((await listAll(refs)).map((ref) => ref.name)).toEqual([
      "refs/heads/alias",
      "refs/heads/main",
      "refs/remotes/origin/HEAD",
    ]);
    // git for-each-ref leaves out what leads nowhere, and so does whoever resolves
    expect(await ourRefs(repository.directory)).toEqual(await gitRefs(repository.directory));
  });

  it("follows as many symbolic refs as git", async () => {
    const repository = await createTestRepository();
    await repository.commit("one");
    for (let depth = 1; depth <= 6; depth++)
      await repository.git(
        "symbolic-ref",
        `refs/s/${depth}`,
        depth === 1 ? "refs/heads/main" : `refs/s/${depth - 1}`,
      );
    await repository.git("symbolic-ref", "refs/loop/a", "refs/loop/b");
    await repository.git("symbolic-ref", "refs/loop/b", "refs/loop/a");
    const refs = await openRefs(repository.directory);
    for (const name of [
      "refs/s/1",
      "refs/s/2",
      "refs/s/3",
      "refs/s/4",
      "refs/s/5",
      "refs/s/6",
      "refs/loop/a",
    ]) {
      const theirs = await git(["rev-parse", "-q", "--verify", name], { cwd: repository.directory }).catch(
        () => undefined,
      );
      const ours = await resolveRef(refs, name);
      expect([name, ours?.status === "found" ? ours.id : undefined]).toEqual([name, theirs]);
    }
  });

  it("skips broken files with a warning and reads the rest", async () => {
    const repository = await createTestRepository();
    const id = await repository.commit("one");
    const heads = join(repository.gitDirectory, "refs", "heads");
    const files: Record<string, string> = {
      empty: "",
      short: id.slice(0, 39),
      nonsense: "hello\n",
      long: `${id}0\n`,
      outside: "ref: ../../etc/passwd\n",
      elsewhere: "ref: config\n",
      huge: `${" ".repeat(20_000)}\n`,
      blank: `${id} \t\n\n`,
      bare: id,
      upper: `${id.toUpperCase()}\n`,
      more: `${id} and more\n`,
    };
    for (const [name, text] of Object.entries(files)) writeFileSync(join(heads, name), text);
    writeFileSync(join(heads, "main.lock"), "");
    writeFileSync(join(heads, ".hidden"), `${id}\n`);
    writeFileSync(join(heads, "with space"), `${id}\n`);
    mkdirSync(join(heads, "emptydir", "deep"), { recursive: true });
    const warnings: string[] = [];
    const names = (await listAll(await openRefs(repository.directory, warnings))).map((ref) => ref.name);
    expect(names).toEqual(["bare", "blank", "main", "more", "upper"].map((name) => `refs/heads/${name}`));
    expect(warnings.sort()).toEqual([
      ...["elsewhere", "empty", "huge", "long", "nonsense", "outside", "short"].map(
        (name) => `ignoring broken ref refs/heads/${name}`,
      ),
      "ignoring ref with broken name refs/heads/with space",
    ]);
    for (const gone of ["elsewhere", "huge", "outside"]) rmSync(join(heads, gone));
    expect(await ourRefs(repository.directory)).toEqual(await gitRefs(repository.directory));
  });

  it("takes a symlink for a symbolic ref, and never follows it", async () => {
    const repository = await createTestRepository();
    const id = await repository.commit("one");
    const heads = join(repository.gitDirectory, "refs", "heads");
    const secret = join(temporaryDirectory(), "secret");
    writeFileSync(secret, `${id}\n`);
    symlinkSync("refs/heads/main", join(heads, "old-style"));
    symlinkSync(secret, join(heads, "outside"));
    symlinkSync("main", join(heads, "relative"));
    const refs = await openRefs(repository.directory);
    expect(await refs.get("refs/heads/old-style")).toMatchObject({
      target: { kind: "symbolic", name: "refs/heads/main" },
    });
    expect(await refs.get("refs/heads/outside")).toBeUndefined();
    expect((await listAll(refs)).map((ref) => ref.name)).toEqual(["refs/heads/main", "refs/heads/old-style"]);
  });

  it("looks at nothing that is no ref name", async () => {
    const repository = await createTestRepository();
    const id = await repository.commit("one");
    writeFileSync(join(repository.gitDirectory, "lower"), `${id}\n`);
    const refs = await openRefs(repository.directory);
    for (const name of [
      "lower",
      "config",
      "refs/../lower",
      "../x",
      "refs",
      "refs/",
      "refs/heads",
      "refs/heads/main.lock",
      "refs/heads/a\0b",
      "",
    ])
      expect(await refs.get(name)).toBeUndefined();
  });

  it("keeps the refs of a linked work tree apart", async () => {
    const main = await createTestRepository();
    const id = await main.commit("one");
    await main.git("update-ref", "refs/bisect/bad", id);
    const linked = join(temporaryDirectory(), "linked");
    await main.git("worktree", "add", "-q", linked);
    await git(["update-ref", "refs/worktree/mine", id], { cwd: linked });
    expect(await ourRefs(linked)).toEqual(await gitRefs(linked));
    expect(await ourRefs(main.directory)).toEqual(await gitRefs(main.directory));
    expect(await (await openRefs(linked)).get("HEAD")).toMatchObject({
      target: { name: "refs/heads/linked" },
    });
  });

  it("sees every rewrite of packed-refs, however quickly they follow", async () => {
    const repository = await createTestRepository();
    const ids = [await repository.commit("one"), await repository.commit("two")];
    const refs = await openRefs(repository.directory);
    for (let round = 0; round < 20; round++) {
      // Same size, same second, and often the same inode.
      const id = ids[round % 2] as string;
      await repository.git("update-ref", "refs/heads/x", id);
      await repository.git("pack-refs", "--all", "--prune");
      expect(await refs.get("refs/heads/x")).toMatchObject({ target: { kind: "id", id } });
    }
  });

  it("reports a packed-refs file that is none", async () => {
    const repository = await createTestRepository();
    await repository.commit("one");
    writeFileSync(join(repository.gitDirectory, "packed-refs"), "nonsense\n");
    const refs = await openRefs(repository.directory);
    await expect(listAll(refs)).rejects.toMatchObject({ code: "refs/malformed" });
    // A loose ref needs no packed one.
    expect(await refs.get("refs/heads/main")).toBeDefined();
  });

  it("ends a listing that is called off", async () => {
    const repository = await createTestRepository();
    await repository.commit("one");
    const refs = await openRefs(repository.directory);
    const listing = refs.list({ signal: AbortSignal.abort() })[Symbol.asyncIterator]();
    await expect(listing.next()).rejects.toMatchObject({ name: "AbortError" });
  });
});
