import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { createTestRepository, git } from "@tooling/test-kit";
import type { ObjectFormat, ObjectId } from "@x/objects";
import { beforeAll, describe, expect, it } from "vitest";
import { CommitFormat } from "../src/commit-text/commit-format.ts";
import { FORMATS, SETTINGS, type Twin, twinOf } from "./archive-of.ts";

const INFO = "info-ignored export-ignore\nby-info/ export-ignore\n";

const FILES: Readonly<Record<string, string>> = {
  ".gitattributes": [
    "ignored export-ignore",
    "ignored-dir export-ignore",
    "dironly/ export-ignore",
    "*.nope export-ignore",
    "kept.nope -export-ignore",
    "back.nope !export-ignore",
    "/top-only export-ignore",
    "deep/*/x export-ignore",
    "**/anywhere export-ignore",
    "[attr]secret export-ignore -diff",
    "*.secret secret",
    "all-ignored/* export-ignore",
    "module export-ignore",
    "*.subst export-subst",
    "*.id ident",
    "*.crlf text eol=crlf",
    "*.auto text=auto eol=crlf",
    "*.lf text eol=lf",
    "*.both export-subst ident eol=crlf",
    "*.bin binary",
    "*.drv diff=drv",
    "*.txt diff",
    "value export-ignore=yes",
    "",
  ].join("\n"),
  "sub/.gitattributes":
    "local export-ignore\nignored -export-ignore\n/anchored export-ignore\n[attr]not secret\n",
  "sub/deeper/.gitattributes": "* -export-ignore\nlocal export-ignore\n",
  ignored: "x",
  "ignored-dir/a": "x",
  "ignored-dir/b/c": "x",
  dironly: "a file",
  "sub/dironly/a": "x",
  "a.nope": "x",
  "kept.nope": "x",
  "back.nope": "x",
  "top-only": "x",
  "sub/top-only": "x",
  "deep/a/x": "x",
  "deep/a/y": "x",
  "deep/a/b/x": "x",
  anywhere: "x",
  "deep/anywhere/x": "x",
  "a.secret": "x",
  "all-ignored/a": "x",
  "all-ignored/b": "x",
  "sub/local": "x",
  "sub/ignored": "x",
  "sub/anchored": "x",
  "sub/deeper/local": "x",
  "sub/deeper/a.nope": "x",
  "sub/deeper/anchored": "x",
  "info-ignored": "x",
  "by-info/a": "x",
  value: "x",
  "a.id": "one $Id$ two $Id: old $ three $Id: a b $ four $Id:\n$ five $Id: open",
  "b.id": "nothing here $I",
  "a.crlf": "a\nb\r\nc\n",
  "a.auto": "a\nb\n",
  "b.auto": "a\r\nb\n",
  "c.auto": "a\0\nb\n",
  "a.lf": "a\nb\n",
  "a.both": "$Id$\n$Format:%H$\n",
  "a.bin": "text\n",
  "a.drv": "text\n",
  "b.drv": "nul\0\n",
  "a.txt": "nul\0\n",
};

async function makeRepository(format: ObjectFormat): Promise<Twin> {
  const { directory, gitDirectory } = await createTestRepository({ objectFormat: format });
  for (const [name, content] of Object.entries(FILES)) {
    mkdirSync(dirname(`${directory}/${name}`), { recursive: true });
    writeFileSync(`${directory}/${name}`, content);
  }
  mkdirSync(`${gitDirectory}/info`, { recursive: true });
  writeFileSync(`${gitDirectory}/info/attributes`, INFO);
  await git(["-c", "core.safecrlf=false", "add", "-A"], { cwd: directory });
  const commit = "1".repeat(format === "sha1" ? 40 : 64);
  await git(["update-index", "--add", "--cacheinfo", `160000,${commit},sub/module`], { cwd: directory });
  await git(["commit", "-q", "-m", "everything"], { cwd: directory });
  return twinOf(directory, format, { source: { repositoryAttributes: INFO } });
}

describe.each(["sha1", "sha256"] as const)("attributes in archives of a %s repository", (format) => {
  let twin: Twin;
  beforeAll(async () => {
    twin = await makeRepository(format);
  });

  it.each(FORMATS)("count as in git: %s", (kind) => {
    const [ours, theirs] = [twin.ours("HEAD", { format: kind }), twin.theirs([`--format=${kind}`, "HEAD"])];
    if (kind === "tar") expect(untar(ours)).toEqual(untar(theirs));
    expect(ours.equals(theirs)).toBe(true);
  });

  it.each(["HEAD:sub", "HEAD:sub/deeper"])("are those of the tree alone: %s", (revision) => {
    const theirs = twin.theirs([revision]);
    const time = Number(`0o${theirs.toString("latin1", 136, 147)}`);
    expect(twin.ours(revision, { time }).equals(theirs)).toBe(true);
  });

  it.each([
    ["core.autocrlf=true", { autocrlf: "true", eol: "lf" }],
    ["core.autocrlf=input", { autocrlf: "input", eol: "lf" }],
    ["core.eol=crlf", { autocrlf: "false", eol: "crlf" }],
  ] as const)("%s counts", (setting, lineEndings) => {
    const theirs = twin.theirs(["HEAD"], [setting]);
    expect(twin.ours("HEAD", { settings: { ...SETTINGS, lineEndings } }).equals(theirs)).toBe(true);
  });

  it("drivers say what is binary", () => {
    for (const binary of [true, false]) {
      const theirs = twin.theirs(["--format=zip", "HEAD"], [`diff.drv.binary=${binary}`]);
      const settings = { ...SETTINGS, binaryDrivers: new Map([["drv", binary]]) };
      expect(twin.ours("HEAD", { format: "zip", settings }).equals(theirs)).toBe(true);
    }
  });

  it("those of the tree can be left alone", () => {
    // In a bare repository there is no work tree whose attributes would count instead.
    const bare = ["-C", ".git", "-c", "core.bare=true"];
    const theirs = twin.plain([...bare, "archive", "--worktree-attributes", "HEAD"]);
    expect(untar(twin.ours("HEAD", { ignoreTreeAttributes: true }))).toEqual(untar(theirs));
  });

  it.each([
    [":(attr:export-ignore)"],
    [":(attr:-diff)"],
    [":(attr:diff=drv)"],
    [":(attr:!text)a*", "ignored"],
    [":(attr:text eol=crlf)"],
    [":(attr:secret,exclude)", "a*"],
    ["sub", ":(exclude,attr:export-ignore)"],
  ])("pathspecs may ask for them: %j", (...paths: string[]) => {
    let theirs: Buffer | string;
    try {
      theirs = twin.theirs(["HEAD", "--", ...paths]);
    } catch (error) {
      theirs = (error as { stderr: Buffer }).stderr.toString().trim();
    }
    let ours: Buffer | string;
    try {
      ours = twin.ours("HEAD", { paths });
    } catch (error) {
      ours = `fatal: ${(error as Error).message}`;
    }
    if (typeof ours === "string" || typeof theirs === "string") expect(String(ours)).toBe(String(theirs));
    else expect(untar(ours)).toEqual(untar(theirs));
  });
});

const MESSAGE = [
  "  Subject of  two",
  "lines. (really)..  ",
  "",
  "Body with \u00fcmlaut.",
  "",
  "Second paragraph",
  "",
  "Signed-off-by: A U Thor <author@example.com>",
  "",
].join("\n");

const FORMATS_OF_COMMITS: readonly string[] = [
  ...["%H", "%h", "%T", "%t", "%P", "%p", "%m", "%%", "%n", "%x41%x0a", "%xzz", "%e", "%S", "%N", "%q", "%"],
  ...["%an", "%ae", "%al", "%ad", "%aD", "%at", "%ai", "%aI", "%as", "%aN", "%aE", "%aL", "%ax", "%a"],
  ...["%cn", "%ce", "%cl", "%cd", "%cD", "%ct", "%ci", "%cI", "%cs"],
  ...["%s", "%b", "%B", "%f", "%d", "%D", "%gd", "%gs", "%gn", "%g", "%G?", "%GS", "%GK", "%Gx"],
  ...["%+s|%-s|% s", "a%n%n%-e", "x%+e", "x% e", "%+d", "% D"],
  ...["%<(20)%s|", "%<(5,trunc)%s|", "%<(9,ltrunc)%s|", "%<(9,mtrunc)%s|", "%>(70)%s|", "%><(60)%s|"],
  ...["ab   %>>(40)%s|", "%<|(20)%h|", "%>|(50)%s|", "%<(0)%s", "%<(20000)%s", "%<(x)%s", "%<(3,what)%s"],
  ...["%C(red)%h%C(reset)", "%Cred%h%Creset", "%C(auto)%h", "%Cnone", "%<(10,trunc)%C(auto)%an|"],
  ...["%(nope)", "%(describe", "plain", "", "%ar", "%<(30)%B|"],
];

describe.each(["sha1", "sha256"] as const)("export-subst in a %s repository", (format) => {
  let twin: Twin;
  let files: readonly string[];
  beforeAll(async () => {
    const { directory, ...repository } = await createTestRepository({ objectFormat: format });
    await repository.commit("first");
    await repository.commit("second");
    await git(["tag", "-a", "-m", "one", "v1"], { cwd: directory });
    await repository.commit("third");
    await git(["tag", "light"], { cwd: directory });
    await git(["checkout", "-q", "-b", "side", "HEAD~1"], { cwd: directory });
    await repository.commit("other", { other: "x" });
    await git(["checkout", "-q", "main"], { cwd: directory });
    await git(["merge", "-q", "--no-ff", "-m", "merge", "side"], { cwd: directory });
    const named = Object.fromEntries(
      FORMATS_OF_COMMITS.map((one, i) => [`f${i}`, `<$Format:${one}$> $Format:open\n`]),
    );
    writeFileSync(`${directory}/.gitattributes`, "* export-subst\n");
    for (const [name, text] of Object.entries(named)) writeFileSync(`${directory}/${name}`, text);
    await git(["add", "-A"], { cwd: directory });
    const env = {
      GIT_AUTHOR_NAME: "J\u00f6rg  <",
      GIT_AUTHOR_EMAIL: "j@x@y",
      GIT_AUTHOR_DATE: "1234567890 +0545",
    };
    await git(["commit", "-q", "--cleanup=verbatim", "-m", MESSAGE], {
      cwd: directory,
      env: { ...env, GIT_COMMITTER_DATE: "1112911993 -0330" },
    });
    await git(["tag", "-a", "-m", "two", "v2"], { cwd: directory });
    await git(["tag", "v2-light"], { cwd: directory });
    await git(["update-ref", "refs/remotes/origin/main", "HEAD"], { cwd: directory });
    await git(["update-ref", "refs/odd/one", "HEAD"], { cwd: directory });
    await git(["branch", "same"], { cwd: directory });
    files = Object.keys(named);
    twin = twinOf(directory, format, {
      source: { abbreviate: (_, least) => least ?? 7 },
      withRefs: true,
    });
  });

  it("says of the commit what git says", () => {
    const theirs = untar(twin.theirs(["HEAD", "--", ...files]));
    const ours = untar(twin.ours("HEAD", { paths: files }));
    const now = (text: string | undefined) => text?.replace(/[0-9]+ years ago/, "years ago");
    for (const [i, one] of FORMATS_OF_COMMITS.entries())
      expect([one, now(ours.get(`f${i}`))]).toEqual([one, now(theirs.get(`f${i}`))]);
    expect([...ours.keys()]).toEqual([...theirs.keys()]);
  });

  it("knows the decorations of later gits", () => {
    const { source } = twin;
    const id = twin.plain(["rev-parse", "HEAD"]).toString().trim() as ObjectId;
    const data = source.read(id)?.data as Uint8Array;
    const commit = new CommitFormat({ source, id, data, abbrev: undefined, now: 0 });
    const refs = [
      { name: "HEAD", id, symrefTarget: "refs/heads/main" },
      { name: "refs/heads/main", id },
      { name: "refs/tags/v2", id: id.replace(/./g, "0") as ObjectId, peeled: id },
    ];
    const expand = (one: string) => commit.expand(one, refs, "");
    expect(expand("%(decorate)")).toBe(" (HEAD -> main, tag: v2)");
    expect(expand("%(decorate:prefix=<,suffix=>,separator=%x2C,pointer=~,tag=T%%)")).toBe("<HEAD~main,T%v2>");
    expect(expand("%(decorate:what=x)")).toBe("%(decorate:what=x)");
  });

  it("says nothing where there is no commit", () => {
    expect(untar(twin.ours("HEAD^{tree}", { time: 0, paths: ["f0"] })).get("f0")).toBe(
      "<$Format:%H$> $Format:open\n",
    );
  });
});

/** Names and contents of the files in a tar file. */
function untar(bytes: Buffer): Map<string, string> {
  const files = new Map<string, string>();
  for (let at = 0; at + 512 <= bytes.length && bytes[at] !== 0; ) {
    const name = bytes.toString("latin1", at, at + 100).replace(/\0.*$/s, "");
    const size = Number(`0o${bytes.toString("latin1", at + 124, at + 135)}`);
    if (bytes[at + 156] === 0x30) files.set(name, bytes.toString("latin1", at + 512, at + 512 + size));
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return files;
}
