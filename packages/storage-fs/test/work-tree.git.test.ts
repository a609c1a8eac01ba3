import { chmodSync, mkdirSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { git } from "@tooling/test-kit";
import type { ObjectFormat } from "@x/objects";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createWorkerPool, type WorkerPool } from "../src/index.ts";
import {
  type Files,
  makePushedTo,
  type PushedTo,
  pushWithGit,
  pushWithUpdate,
  stateOf,
} from "./work-tree.ts";

let pool: WorkerPool;
beforeAll(() => {
  pool = createWorkerPool({ heavyWorkers: 1 });
});
afterAll(() => pool.close());

interface Scenario {
  readonly from?: Files;
  readonly to: Files;
  readonly config?: Readonly<Record<string, string>>;
  /** What happens in the work tree before the push. */
  readonly before?: (there: PushedTo) => Promise<unknown> | unknown;
  /** What git answers, as a check that the scenario is what it says. */
  readonly refusal?: string;
}

const UNSTAGED = "Working directory has unstaged changes";
const STAGED = "Working directory has staged changes";
const NOT_UPDATED = "Could not update working tree to new HEAD";
const NOT_REFRESHED = "Up-to-date check failed";

const link = (content: string) => ({ content, mode: "120000" }) as const;
const program = (content: string) => ({ content, mode: "100755" }) as const;
const submodule = (digit: string) => ({ content: digit.repeat(40), mode: "160000" }) as const;

const at = (there: PushedTo, path: string) => `${there.directory}/${path}`;
const write = (path: string, text: string) => (there: PushedTo) => writeFileSync(at(there, path), text);

const makeOlder = (there: PushedTo) => {
  for (const path of ["a", "dir/b", "dir/deep/c"]) utimesSync(at(there, path), 1_700_000_000, 1_700_000_000);
};

const BASE: Files = { a: "a\n", "dir/b": "b\n", "dir/deep/c": "c\n" };

const scenarios: Readonly<Record<string, Scenario>> = {
  "an unborn branch": { to: BASE },
  "an unborn branch, something untracked elsewhere": { to: BASE, before: write("other", "x") },
  "an unborn branch, an untracked file in the way": {
    to: BASE,
    before: write("a", "mine"),
    refusal: NOT_UPDATED,
  },
  "an unborn branch, a staged file": {
    to: BASE,
    before: async (there) => {
      write("new", "x")(there);
      await there.git("add", "new");
    },
    refusal: STAGED,
  },
  "a changed file": { from: BASE, to: { ...BASE, a: "other\n" } },
  "a file added, one deleted": { from: BASE, to: { a: "a\n", "new/x": "x" } },
  "everything deleted": { from: BASE, to: { z: "z" } },
  "the same tree": { from: BASE, to: BASE },
  "an empty file": { from: BASE, to: { ...BASE, a: "", b: "" } },
  "a file that became executable": { from: BASE, to: { ...BASE, a: program("a\n") } },
  "a file that is no longer executable": { from: { a: program("a\n") }, to: { a: "a\n" } },
  "an executable bit without core.fileMode": {
    from: BASE,
    to: { ...BASE, a: program("a\n") },
    config: { "core.fileMode": "false" },
    before: (there) => chmodSync(at(there, "dir/b"), 0o755),
  },
  "a symlink for a file": { from: BASE, to: { ...BASE, a: link("dir/b") } },
  "a file for a symlink": { from: { ...BASE, l: link("a") }, to: { ...BASE, l: "plain\n" } },
  "a symlink that leads elsewhere": { from: { l: link("a") }, to: { l: link("/etc/passwd") } },
  "a symlink without core.symlinks": {
    from: BASE,
    to: { ...BASE, l: link("a") },
    config: { "core.symlinks": "false" },
  },
  "a directory for a file": { from: BASE, to: { "a/x": "x", "dir/b": "b\n" } },
  "a file for a directory": { from: BASE, to: { a: "a\n", dir: "now a file\n" } },
  "a symlink for a directory": { from: BASE, to: { a: "a\n", dir: link("..") } },
  "a directory for a symlink": { from: { d: link("/tmp") }, to: { "d/x": "x" } },
  "a submodule": { from: BASE, to: { ...BASE, sub: submodule("1") } },
  "a submodule that moved": { from: { ...BASE, sub: submodule("1") }, to: { ...BASE, sub: submodule("2") } },
  "a submodule that went": { from: { ...BASE, sub: submodule("1") }, to: BASE },
  "a submodule that went, with files in it": {
    from: { ...BASE, sub: submodule("1") },
    to: BASE,
    before: write("sub/x", "x"),
  },
  "a file for an empty submodule": { from: { ...BASE, sub: submodule("1") }, to: { ...BASE, sub: "file" } },
  "a submodule for a file": { from: BASE, to: { ...BASE, a: submodule("1") } },
  "names with bytes above 127": { from: { "\u00e9": "1" }, to: { "\u00e9": "2", "\u4e2d/\u6587": "3" } },

  "a dirty file that changes": {
    from: BASE,
    to: { ...BASE, a: "x" },
    before: write("a", "mine"),
    refusal: UNSTAGED,
  },
  "a dirty file that does not change": {
    from: BASE,
    to: { ...BASE, a: "x" },
    before: write("dir/b", "q\n"),
    refusal: UNSTAGED,
  },
  "a missing file": {
    from: BASE,
    to: { ...BASE, a: "x" },
    before: (there) => rmSync(at(there, "dir/b")),
    refusal: UNSTAGED,
  },
  "a missing directory": {
    from: BASE,
    to: { ...BASE, a: "x" },
    before: (there) => rmSync(at(there, "dir"), { recursive: true }),
    refusal: UNSTAGED,
  },
  "a changed mode": {
    from: BASE,
    to: { ...BASE, a: "x" },
    before: (there) => chmodSync(at(there, "a"), 0o755),
    refusal: UNSTAGED,
  },
  "a symlink instead of a file": {
    from: BASE,
    to: { ...BASE, a: "x" },
    before: (there) => {
      rmSync(at(there, "a"));
      symlinkSync("dir/b", at(there, "a"));
    },
    refusal: UNSTAGED,
  },
  "a symlink instead of a directory": {
    from: BASE,
    to: { ...BASE, "dir/b": "x" },
    before: (there) => {
      renameSync(at(there, "dir"), at(there, "moved"));
      symlinkSync("moved", at(there, "dir"));
    },
    refusal: UNSTAGED,
  },
  "a dirty symlink": {
    from: { l: link("a") },
    to: { l: link("b") },
    before: (there) => {
      rmSync(at(there, "l"));
      symlinkSync("c", at(there, "l"));
    },
    refusal: UNSTAGED,
  },
  "an intent to add": {
    from: BASE,
    to: { ...BASE, a: "x" },
    before: async (there) => {
      write("later", "x")(there);
      await there.git("add", "-N", "later");
    },
    refusal: UNSTAGED,
  },
  "files with other times": {
    from: BASE,
    to: { ...BASE, "dir/b": "new\n" },
    before: makeOlder,
  },
  "a staged change": {
    from: BASE,
    to: { ...BASE, a: "x" },
    before: async (there) => {
      write("a", "mine")(there);
      await there.git("add", "a");
    },
    refusal: STAGED,
  },
  "a staged change that is the pushed one": {
    from: BASE,
    to: { ...BASE, a: "x" },
    before: async (there) => {
      write("a", "x")(there);
      await there.git("add", "a");
    },
    refusal: STAGED,
  },
  "a staged file": {
    from: BASE,
    to: { ...BASE, a: "x" },
    before: async (there) => {
      write("new", "x")(there);
      await there.git("add", "new");
    },
    refusal: STAGED,
  },
  "a staged removal": {
    from: BASE,
    to: { ...BASE, a: "x" },
    before: (there) => there.git("rm", "-q", "dir/b"),
    refusal: STAGED,
  },
  "staged and dirty": {
    from: BASE,
    to: { ...BASE, a: "x" },
    before: async (there) => {
      await there.git("rm", "-q", "dir/b");
      write("a", "mine")(there);
    },
    refusal: UNSTAGED,
  },
  "a submodule at another commit": {
    from: { ...BASE, sub: submodule("1") },
    to: { ...BASE, a: "x", sub: submodule("1") },
    before: (there) => there.git("update-index", "--cacheinfo", `160000,${"3".repeat(40)},sub`),
  },
  "a merge that waits": {
    from: BASE,
    to: { ...BASE, a: "x" },
    before: async (there) => {
      const [id] = (await there.git("ls-files", "-s", "a")).split(" ").slice(1);
      await git(["update-index", "--index-info"], {
        cwd: there.directory,
        input: `0 ${"0".repeat(40)}\ta\n100644 ${id} 1\ta\n100644 ${id} 2\ta\n`,
      });
    },
    refusal: NOT_REFRESHED,
  },
  "an untracked file elsewhere": { from: BASE, to: { ...BASE, a: "x" }, before: write("dir/mine", "x") },
  "an untracked file in the way": {
    from: BASE,
    to: { ...BASE, new: "x" },
    before: write("new", "mine"),
    refusal: NOT_UPDATED,
  },
  "an untracked file with the same content in the way": {
    from: BASE,
    to: { ...BASE, new: "x" },
    before: write("new", "x"),
    refusal: NOT_UPDATED,
  },
  "an untracked file where a directory is to be": {
    from: BASE,
    to: { ...BASE, "new/x": "x" },
    before: write("new", "mine"),
    refusal: NOT_UPDATED,
  },
  "an untracked symlink where a directory is to be": {
    from: BASE,
    to: { ...BASE, "new/x": "x" },
    before: (there) => symlinkSync("/tmp", at(there, "new")),
    refusal: NOT_UPDATED,
  },
  "an untracked directory with a file in the way": {
    from: BASE,
    to: { ...BASE, new: "x" },
    before: (there) => {
      mkdirSync(at(there, "new"));
      write("new/mine", "x")(there);
    },
    refusal: NOT_UPDATED,
  },
  "an empty directory in the way": {
    from: BASE,
    to: { ...BASE, new: "x" },
    before: (there) => mkdirSync(at(there, "new/deeper"), { recursive: true }),
  },
  "an untracked file in a directory that becomes a file": {
    from: BASE,
    to: { a: "a\n", dir: "file" },
    before: write("dir/mine", "x"),
    refusal: NOT_UPDATED,
  },
  "an untracked file in a directory whose files go": {
    from: BASE,
    to: { a: "x" },
    before: write("dir/mine", "x"),
  },
  "a file that is assumed not to change and did": {
    from: BASE,
    to: { ...BASE, a: "x" },
    before: async (there) => {
      await there.git("update-index", "--assume-unchanged", "a");
      write("a", "mine")(there);
    },
    refusal: NOT_UPDATED,
  },
  "such a file that the push leaves alone": {
    from: BASE,
    to: { ...BASE, a: "x" },
    before: async (there) => {
      await there.git("update-index", "--assume-unchanged", "dir/b");
      write("dir/b", "mine")(there);
    },
  },
  "a locked index": {
    from: BASE,
    to: { ...BASE, a: "x" },
    before: async (there) => {
      makeOlder(there);
      await there.git("update-index", "-q", "--refresh");
      writeFileSync(at(there, ".git/index.lock"), "");
    },
    refusal: NOT_UPDATED,
  },
  "a locked index that needs a refresh": {
    from: BASE,
    to: { ...BASE, a: "x" },
    before: (there) => {
      utimesSync(at(there, "a"), 1_700_000_000, 1_700_000_000);
      writeFileSync(at(there, ".git/index.lock"), "");
    },
    refusal: NOT_REFRESHED,
  },
  "a damaged index": {
    from: BASE,
    to: { ...BASE, a: "x" },
    before: (there) => writeFileSync(at(there, ".git/index"), "DIRC"),
    refusal: NOT_REFRESHED,
  },
  "an index of version 4": {
    from: BASE,
    to: { a: "a\n", "dir/b": "x", "dir/deeper/c": "c\n" },
    before: (there) => there.git("update-index", "--index-version", "4"),
  },
  "an index without a hash": { from: BASE, to: { ...BASE, a: "x" }, config: { "index.skipHash": "true" } },
  "text with line feeds": {
    from: { ".gitattributes": "* text=auto\n", a: "a\n" },
    to: { ".gitattributes": "* text=auto\n", a: "b\nc\n" },
  },
  "lines that end in CR LF": {
    from: { ".gitattributes": "*.bat eol=crlf\n", "x.bat": "1\n", "y.sh": "1\n" },
    to: { ".gitattributes": "*.bat eol=crlf\n", "x.bat": "1\n2\n", "y.sh": "1\n2\n", "d/z.bat": "z\n" },
  },
  "attributes that come with the push": {
    from: { "x.bat": "1\n", "y.sh": "1\n" },
    to: {
      "d/.gitattributes": "*.bat text eol=crlf\n/only.txt -text\n*.txt eol=crlf\n",
      "x.bat": "1\n2\n",
      "d/x.bat": "1\n2\n",
      "d/only.txt": "1\n",
    },
  },
  "core.autocrlf": {
    from: { a: "1\n" },
    to: { a: "1\n2\n", bin: "\0\n\n", mixed: "1\r\n2\n", "not.txt": "x\n" },
    config: { "core.autocrlf": "true" },
  },
  "core.autocrlf, files touched": {
    from: { a: "1\n", b: "2\n" },
    to: { a: "1\n2\n", b: "2\n" },
    config: { "core.autocrlf": "true" },
    before: (there) => utimesSync(at(there, "b"), 1_700_000_000, 1_700_000_000),
  },
  "core.eol": {
    from: { ".gitattributes": "* text\n*.bin binary\n", a: "1\n" },
    to: { ".gitattributes": "* text\n*.bin binary\n", a: "1\n2\n", "x.bin": "1\n" },
    config: { "core.eol": "crlf" },
  },
  "a filter without a driver": { from: BASE, to: { ...BASE, ".gitattributes": "a filter=none\n", a: "x" } },
};

describe.each(Object.entries(scenarios))("a push to a checked-out branch: %s", (_, scenario) => {
  it("ends as with git", async () => {
    const [theirs, ours] = await Promise.all([prepare(scenario), prepare(scenario)]);
    const expected = await pushWithGit(theirs);
    expect(expected).toBe(scenario.refusal);
    expect(await pushWithUpdate(pool, ours)).toBe(expected);
    expect(await stateOf(ours)).toEqual(await stateOf(theirs));
    if (expected === undefined)
      expect(await git(["fsck", "--strict", "--no-dangling", "--no-progress"], { cwd: ours.directory })).toBe(
        "",
      );
    for (const there of [theirs, ours]) there.remove();
  });
});

async function prepare({ from, to, config, before }: Scenario): Promise<PushedTo> {
  const there = await makePushedTo(from, to, config === undefined ? {} : { config });
  await before?.(there);
  return there;
}

describe.each<ObjectFormat>(["sha1", "sha256"])("a work tree, %s", (format) => {
  it("follows a push to an unborn branch and two more", async () => {
    const there = await makePushedTo(undefined, BASE, { format });
    expect(await pushWithUpdate(pool, there)).toBeUndefined();
    expect(await there.git("status", "--porcelain")).toBe("");
    expect(await there.git("diff-files")).toBe("");
    expect(await there.git("ls-files")).toBe("a\ndir/b\ndir/deep/c");
  });
});
