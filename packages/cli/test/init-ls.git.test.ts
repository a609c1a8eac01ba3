import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { createTestRepository, git, temporaryDirectory } from "@tooling/test-kit";
import { describe, expect, it } from "vitest";
import { main } from "../src/main.ts";
import { FakeTerminal } from "./terminal.ts";

async function run(...argv: string[]) {
  const terminal = new FakeTerminal();
  const status = await main(argv, terminal);
  return { status, out: Buffer.from(terminal.out, "latin1").toString("utf8"), err: terminal.err };
}

describe("xgit init", () => {
  it("makes what git takes for a repository of its own", async () => {
    const root = temporaryDirectory("root");
    const directory = `${root}/team/new.git`;
    expect(await run("init", directory)).toEqual({
      status: 0,
      out: `Initialized empty Git repository in ${directory}/\n`,
      err: "",
    });
    expect((await git(["symbolic-ref", "HEAD"], { cwd: directory })).trim()).toBe("refs/heads/main");
    expect(await git(["fsck"], { cwd: directory })).toBe("");
    expect((await git(["rev-parse", "--is-bare-repository"], { cwd: directory })).trim()).toBe("true");
    expect(readdirSync(`${root}/team`)).toEqual(["new.git"]);
    const again = await run("init", directory);
    expect(again).toEqual({
      status: 128,
      out: "",
      err: "fatal: there is something in the repository's place already\n",
    });
  });

  it("takes a format, a branch and silence", async () => {
    const directory = `${temporaryDirectory("root")}/n.git`;
    const flags = ["--object-format", "sha256", "-b", "tr\u00fcnk", "-q"];
    expect(await run("init", ...flags, directory)).toEqual({ status: 0, out: "", err: "" });
    expect((await git(["rev-parse", "--show-object-format"], { cwd: directory })).trim()).toBe("sha256");
    expect(readFileSync(`${directory}/HEAD`, "utf8")).toBe("ref: refs/heads/tr\u00fcnk\n");
  });

  it.each([
    ["--shared", "group"],
    ["--shared=all", "all"],
    ["--shared=0660", "0660"],
  ])("lets others in with %s as git does", async (flag, who) => {
    const root = temporaryDirectory("root");
    expect((await run("init", `${root}/ours.git`, flag)).status).toBe(0);
    await git(["init", "-q", "--bare", `--shared=${who}`, `${root}/theirs.git`]);
    for (const part of ["", "/HEAD", "/config", "/objects", "/objects/pack", "/refs/heads"])
      expect([part, statSync(`${root}/ours.git${part}`).mode.toString(8)]).toEqual([
        part,
        statSync(`${root}/theirs.git${part}`).mode.toString(8),
      ]);
    expect(readFileSync(`${root}/ours.git/config`, "utf8")).toContain(`sharedrepository = ${who}\n`);
    expect((await git(["config", "receive.denyNonFastforwards"], { cwd: `${root}/ours.git` })).trim()).toBe(
      "true",
    );
  });

  it.each([
    [["-b", "no way"], "fatal: not a branch name: no way"],
    [["--shared=nonsense"], "fatal: bad boolean config value 'nonsense'"],
    [["--shared=0077"], "fatal: core.sharedRepository is 0077, but owners must"],
  ])("refuses %j", async (flags, expected) => {
    const root = temporaryDirectory("root");
    const { status, err } = await run("init", `${root}/n.git`, ...flags);
    expect(status).toBe(128);
    expect(err).toContain(expected);
    expect(readdirSync(root)).toEqual([]);
  });

  it("refuses a format that is none", async () => {
    expect((await run("init", "--object-format", "md5", "/nowhere/x")).status).toBe(129);
  });
});

describe("xgit ls", () => {
  it("lists the repositories below a directory", async () => {
    const root = temporaryDirectory("root");
    await run("init", "-q", `${root}/b.git`);
    await run("init", "-q", "--object-format", "sha256", `${root}/team/deep/a.git`);
    await git(["init", "-q", "-b", "main", `${root}/work`]);
    mkdirSync(`${root}/.hidden`);
    await run("init", "-q", `${root}/.hidden/c.git`);
    mkdirSync(`${root}/nothing`);
    symlinkSync(`${root}/b.git`, `${root}/link.git`);
    writeFileSync(`${root}/file`, "");
    expect(await run("ls", root)).toEqual({ status: 0, out: "b.git\nteam/deep/a.git\nwork\n", err: "" });
    const { out } = await run("ls", "--json", root);
    expect(JSON.parse(out)).toEqual([
      { name: "b.git", path: `${root}/b.git`, objectFormat: "sha1", head: "refs/heads/main" },
      {
        name: "team/deep/a.git",
        path: `${root}/team/deep/a.git`,
        objectFormat: "sha256",
        head: "refs/heads/main",
      },
      { name: "work", path: `${root}/work`, objectFormat: "sha1", head: "refs/heads/main" },
    ]);
    expect((await run("ls", "--json", `${root}/nothing`)).out).toBe("[]\n");
  });

  it("lists the refs of a repository, hidden ones too", async () => {
    const source = await createTestRepository();
    await source.commit("one");
    const cwd = source.directory;
    await git(["tag", "-a", "-m", "t", "v1"], { cwd });
    await git(["branch", "n\u00e4u"], { cwd });
    await git(["config", "transfer.hideRefs", "refs/tags"], { cwd });
    await git(["pack-refs", "--all"], { cwd });
    const id = (await git(["rev-parse", "HEAD"], { cwd })).trim();
    const tag = (await git(["rev-parse", "v1"], { cwd })).trim();
    const branch = (await git(["symbolic-ref", "HEAD"], { cwd })).trim();
    const { out } = await run("ls", cwd);
    expect(out).toBe(`${id}\tHEAD\n${id}\t${branch}\n${id}\trefs/heads/n\u00e4u\n${tag}\trefs/tags/v1\n`);
    const { out: json } = await run("ls", "--json", cwd);
    expect(JSON.parse(json)).toEqual([
      { name: "HEAD", id, symbolic: branch },
      { name: branch, id },
      { name: "refs/heads/n\u00e4u", id },
      { name: "refs/tags/v1", id: tag, peeled: id },
    ]);
  });

  it("says what is not there", async () => {
    const { status, err } = await run("ls", "/does/not/exist");
    expect(status).toBe(128);
    expect(err).toContain("fatal: /does/not/exist: ENOENT");
  });
});
