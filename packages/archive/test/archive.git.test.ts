import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { createTestRepository, git, gitEnvironment } from "@tooling/test-kit";
import type { ArchiveRequest, ObjectFormat } from "@x/objects";
import { beforeAll, describe, expect, it } from "vitest";
import { FORMATS, SETTINGS, type Twin, twinOf } from "./archive-of.ts";

/** Bytes that look like nothing, the same every time. */
function noise(length: number, seed = 1): Buffer {
  const bytes = Buffer.alloc(length);
  let state = seed;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    bytes[i] = state >>> 16;
  }
  return bytes;
}

function octalAt(bytes: Buffer, at: number): number {
  return Number(`0o${bytes.toString("latin1", at, at + 11)}`);
}

const long = (length: number) => "x".repeat(length);

/** What is to be compressed. */
const CONTENTS: Readonly<Record<string, string | Buffer>> = {
  "text.txt": "the quick brown fox jumps over the lazy dog\n".repeat(3000),
  "binary.bin": noise(70_000),
  "nul.dat": `a\0b${"c".repeat(9000)}`,
  "late-nul.dat": `${"a".repeat(8000)}\0`,
  "words.txt": noise(900_000)
    .toString("hex")
    .replace(/(.{7})/g, "$1\n"),
  "large.bin": noise(1_500_000, 7),
  "large.txt": "line of a large text\n".repeat(120_000),
  "large-mixed.txt": `${noise(700_000, 3).toString("hex")}${"tail\n".repeat(100_000)}`,
};

const FILES: Readonly<Record<string, string | Buffer>> = {
  empty: "",
  "hello.txt": "hello\n",
  "run.sh": "#!/bin/sh\n",
  "caf\u00e9.txt": "utf-8 name\n",
  "dir/sub/deep/file": "deep\n",
  "dir/sub/other": "other\n",
  "dir/a.c": "int a;\n",
  "dir/b.c": "int b;\n",
  "dir/b.h": "int b;\n",
  "dir2/only": "only\n",
  "[odd]*name?": "glob\n",
  [`${long(99)}`]: "99\n",
  [`${long(100)}`]: "100\n",
  [`${long(101)}`]: "101\n",
  [`${long(90)}/${long(90)}`]: "prefix\n",
  [`${long(150)}/${long(90)}`]: "prefix\n",
  [`${long(60)}/${long(60)}/${long(60)}/${long(60)}/${long(60)}`]: "too long\n",
  [`short/${long(200)}`]: "long last\n",
};

async function makeContents(format: ObjectFormat): Promise<Twin> {
  const repository = await createTestRepository({ objectFormat: format });
  await repository.commit("contents", CONTENTS);
  return twinOf(repository.directory, format);
}

async function makeRepository(format: ObjectFormat): Promise<Twin> {
  const repository = await createTestRepository({ objectFormat: format });
  const root = repository.directory;
  for (const [name, content] of Object.entries(FILES)) {
    mkdirSync(dirname(`${root}/${name}`), { recursive: true });
    writeFileSync(`${root}/${name}`, content);
  }
  writeFileSync(Buffer.from(`${root}/bad-\xff-name`, "latin1"), "latin1 name\n");
  chmodSync(`${root}/run.sh`, 0o755);
  symlinkSync("hello.txt", `${root}/link`);
  symlinkSync(long(100), `${root}/link100`);
  symlinkSync(`${long(90)}/${long(90)}`, `${root}/link-long`);
  await git(["add", "-A"], { cwd: root });
  const sub = "1".repeat(format === "sha1" ? 40 : 64);
  await git(["update-index", "--add", "--cacheinfo", `160000,${sub},dir/module`], { cwd: root });
  await git(["update-index", "--add", "--cacheinfo", `160000,${sub},module`], { cwd: root });
  await git(["commit", "-q", "-m", "everything"], { cwd: root });
  await git(["tag", "-a", "-m", "a tag", "v1"], { cwd: root });
  return twinOf(root, format);
}

describe.each(["sha1", "sha256"] as const)("archives of a %s repository", (format) => {
  let twin: Twin;
  let contents: Twin;
  beforeAll(async () => {
    twin = await makeRepository(format);
    contents = await makeContents(format);
  });

  it.each(FORMATS)("are those of git archive: %s", (kind) => {
    for (const one of [twin, contents])
      expect(one.ours("HEAD", { format: kind }).equals(one.theirs([`--format=${kind}`, "HEAD"]))).toBe(true);
  });

  it.each([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])("have git's bytes at level %i", (level) => {
    const paths = ["text.txt", "nul.dat", "words.txt"];
    for (const kind of ["zip", "tar.gz"] as const) {
      const theirs = contents.theirs([`--format=${kind}`, `-${level}`, "HEAD", ...paths]);
      expect([kind, contents.ours("HEAD", { format: kind, level, paths }).equals(theirs)]).toEqual([
        kind,
        true,
      ]);
    }
  });

  it.each(["v1", "HEAD^{tree}", "HEAD:dir"])("are made of %s", (revision) => {
    for (const kind of ["tar", "zip"] as const) {
      const theirs = twin.theirs([`--format=${kind}`, revision]);
      // What has no commit is as old as the archive.
      const time = kind === "zip" ? theirs.readUInt32LE(35 + theirs.readUInt16LE(26)) : octalAt(theirs, 136);
      const ours = twin.ours(revision, revision === "v1" ? { format: kind } : { format: kind, time });
      expect([kind, ours.equals(theirs)]).toEqual([kind, true]);
    }
  });

  const prefixes = ["x/", "x", "x//", "a/b/c/", "../x/", `${long(120)}/`, "/", "é/"];
  it.each(prefixes)("take a prefix: %s", (text) => {
    const prefix = Buffer.from(text).toString("latin1");
    for (const kind of ["tar", "zip"] as const) {
      const theirs = twin.theirs([`--format=${kind}`, `--prefix=${text}`, "HEAD"]);
      expect([kind, twin.ours("HEAD", { format: kind, prefix }).equals(theirs)]).toEqual([kind, true]);
    }
  });

  it.each([0, 1, 1112911993, 0o77777777777, 0o77777777777 + 1, 2 ** 40])("have the time %i", async (time) => {
    const { directory, commit } = await createTestRepository({ objectFormat: format });
    await commit("some time");
    const env = { GIT_COMMITTER_DATE: `@${time} +0000` };
    await git(["commit", "-q", "--allow-empty", "-m", "then"], { cwd: directory, env });
    const then = twinOf(directory, format);
    expect(then.ours("HEAD").equals(then.theirs(["HEAD"]))).toBe(true);
  });

  it.each(["0", "0022", "0077", "18", "user"])("take tar.umask %s", (text) => {
    const umask = text === "user" ? process.umask() : text === "18" ? 18 : Number(`0o${text}`);
    const theirs = twin.theirs(["HEAD"], [`tar.umask=${text}`]);
    expect(twin.ours("HEAD", { settings: { ...SETTINGS, umask } }).equals(theirs)).toBe(true);
  });

  it.each([1, 100_000, 1_000_000])("write blobs above %i bytes as they are read", (bigFileThreshold) => {
    for (const kind of ["tar", "zip"] as const)
      for (const level of kind === "zip" ? [undefined, 0] : [undefined]) {
        const args = [`--format=${kind}`, ...(level === undefined ? [] : [`-${level}`]), "HEAD"];
        const theirs = contents.theirs(args, [`core.bigFileThreshold=${bigFileThreshold}`]);
        const settings = { ...SETTINGS, bigFileThreshold };
        const ours = contents.ours("HEAD", {
          format: kind,
          settings,
          ...(level === undefined ? {} : { level }),
        });
        expect([kind, level, ours.equals(theirs)]).toEqual([kind, level, true]);
      }
  });

  const specs: readonly (readonly string[])[] = [
    ["dir"],
    ["dir/"],
    ["dir/sub"],
    ["./dir//sub/../a.c"],
    ["."],
    ["dir/*.c"],
    ["*.c"],
    ["d*"],
    ["dir*"],
    ["dir/s*"],
    [":(glob)dir/*.c"],
    [":(glob)*.c", "hello.txt"],
    [":(glob)**/*.c"],
    [":(glob)dir/**"],
    [":(literal)[odd]*name?"],
    ["[odd]*name?", "dir"],
    [":(icase)DIR/A.C"],
    [":(icase)DIR/*.C"],
    [":(top)dir"],
    [":/dir"],
    [":!dir"],
    [":^dir"],
    [":(exclude)*.c"],
    [":!:dir/sub"],
    ["dir", ":!dir/sub"],
    ["dir", ":(exclude,glob)dir/*.c"],
    ["dir", ":!*.c"],
    ["dir", ":!dir/*"],
    ["*", ":!d*"],
    ["module"],
    ["module/"],
    ["dir/module", "link"],
    ["dir/module/"],
    ["m*"],
    ["dir/sub/deep/file"],
    ["di[r]/[ab].c"],
    ["di?/?.c"],
    [":(glob)di*"],
    [":(glob)d*/", "hello.txt"],
    ["dir2", "dir/b.*"],
    [":(icase,exclude)DIR2", ":(exclude)*.bin"],
    ["hello.txt", "hello.txt"],
    [":"],
  ];
  it.each(specs.map((paths) => [paths.join(" "), paths] as const))("take pathspecs: %s", (_, paths) => {
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
    else expect(ours.equals(theirs)).toBe(true);
  });

  it.each([
    ["nope"],
    ["dir", "nope/"],
    [""],
    [":(nope)x"],
    [":(glob,literal)x"],
    [":(glob"],
    [":,x"],
    ["hello.txt/"],
    ["*.nope"],
    [":(glob)*.c"],
    [":(attr:)x"],
  ])("refuse pathspecs in git's words: %j", (...paths: string[]) => {
    let said = "";
    try {
      twin.theirs(["HEAD", "--", ...paths]);
    } catch (error) {
      said = (error as { stderr: Buffer }).stderr.toString().trim();
    }
    expect(said).toMatch(/^fatal: /);
    expect(() => twin.ours("HEAD", { paths })).toThrow(said.slice("fatal: ".length));
  });

  it.each(["Asia/Kathmandu", "America/New_York", "UTC"])("have local times in zip files: %s", (zone) => {
    const before = process.env.TZ;
    process.env.TZ = zone;
    try {
      const theirs = twin.theirs(["--format=zip", "HEAD", "dir"], [], { TZ: zone });
      expect(twin.ours("HEAD", { format: "zip", paths: ["dir"] }).equals(theirs)).toBe(true);
    } finally {
      if (before === undefined) delete process.env.TZ;
      else process.env.TZ = before;
    }
  });

  it("tell the names of entries as git does", () => {
    const said = execFileSync("sh", ["-c", "git archive -v --prefix=p/ HEAD dir module 2>&1 >/dev/null"], {
      cwd: twin.directory,
      env: gitEnvironment(),
    }).toString("latin1");
    const more: Partial<ArchiveRequest> = { verbose: true, prefix: "p/", paths: ["dir", "module"] };
    expect(twin.told("HEAD", more)).toBe(said);
  });
});
