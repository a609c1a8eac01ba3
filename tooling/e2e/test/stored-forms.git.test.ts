import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { git, temporaryDirectory, tryGit } from "@tooling/test-kit";
import { describe, expect, it } from "vitest";
import { expectSound, leftoversIn, objectsOf, reachableIn, refsOf } from "./compare.ts";
import { copyRepository, grow, makeRich } from "./fixtures.ts";
import { startServer } from "./server.ts";
import { FORMATS, IS_DRILL, stockWay, TRANSPORTS, type Way, wayTo } from "./way.ts";

const root = temporaryDirectory("root");
const server = await startServer(root);

/** How C git may have stored a repository: each makes one of a rich one. */
const FORMS = new Map<string, (directory: string) => Promise<unknown>>([
  ["as-made", async () => {}],
  ["one-pack", (cwd) => git(["gc", "-q", "--prune=now"], { cwd })],
  ["loose-only", unpackAll],
  [
    "many-packs",
    async (cwd) => {
      for (let i = 0; i < 6; i++) {
        await grow(cwd, "main", 2);
        await git(["repack", "-dq"], { cwd });
      }
    },
  ],
  ["idx-v1", (cwd) => git(["-c", "pack.indexVersion=1", "repack", "-adfq"], { cwd })],
  ["ref-deltas", (cwd) => git(["-c", "repack.useDeltaBaseOffset=false", "repack", "-adfq"], { cwd })],
  ["no-deltas", (cwd) => git(["repack", "-adfq", "--depth=0", "--window=0"], { cwd })],
  ["deep-deltas", (cwd) => git(["repack", "-adfq", "--depth=200", "--window=50"], { cwd })],
  [
    "midx-bitmap-graph",
    async (cwd) => {
      await git(["-c", "pack.writeBitmaps=true", "repack", "-adbq"], { cwd });
      await grow(cwd, "main", 3);
      await git(["repack", "-dq"], { cwd });
      await git(["multi-pack-index", "write"], { cwd });
      await git(["commit-graph", "write", "--reachable", "--changed-paths"], { cwd });
    },
  ],
  [
    "kept-and-cruft",
    async (cwd) => {
      await git(["repack", "-adq"], { cwd });
      await git(["commit-tree", "-m", "lost", "main^{tree}"], { cwd });
      await git(["repack", "--cruft", "-dq"], { cwd });
    },
  ],
  ["stored-uncompressed", (cwd) => git(["-c", "core.compression=0", "repack", "-adfFq"], { cwd })],
]);

/** Every object becomes a file of its own. */
async function unpackAll(cwd: string): Promise<void> {
  await git(["repack", "-adq"], { cwd });
  const packs = `${cwd}/objects/pack`;
  const files = readdirSync(packs);
  const pack = readFileSync(`${packs}/${files.find((file) => file.endsWith(".pack"))}`);
  for (const file of files) rmSync(`${packs}/${file}`);
  await git(["unpack-objects", "-q"], { cwd, input: pack });
}

const rich = temporaryDirectory("rich");
for (const format of FORMATS) {
  await makeRich(`${rich}/${format}.git`, format);
  for (const [form, make] of FORMS)
    await make(copyRepository(`${rich}/${format}.git`, `${root}/${form}-${format}.git`));
}

async function mirror(way: Way, name: string) {
  const directory = `${temporaryDirectory("clone")}/c`;
  await way.git(["clone", "-q", "--mirror", way.url(name), directory]);
  return { directory, refs: await refsOf(directory), objects: await objectsOf(directory) };
}

describe.each(FORMATS)("%s", (format) => {
  describe.each(TRANSPORTS)("over %s", (transport) => {
    // Each form in both formats, and over each transport; with DRILL=full in both over each.
    const forms = [...FORMS.keys()].filter(
      (_, i) => IS_DRILL || (i + FORMATS.indexOf(format)) % 3 !== TRANSPORTS.indexOf(transport),
    );
    const version = transport === "http" ? 0 : 2;
    const ours = wayTo(server, transport, version);
    const stock = stockWay(root, version);

    it.each(forms)("%s: cloned, fetched from, pushed to, and C git's gc finds it sound", async (form) => {
      const name = `${form}-${format}.git`;
      const there = `${root}/${name}`;
      const [mine, theirs] = await Promise.all([ours, stock].map((way) => mirror(way, name)));
      expect(mine?.refs).toEqual(theirs?.refs);
      expect(mine?.objects).toEqual(theirs?.objects);
      const directory = mine?.directory as string;
      await grow(directory, "main", 2);
      await ours.git(["push", "-q", ours.url(name), "main"], { cwd: directory });
      await grow(there, "lonely", 2);
      await ours.git(["fetch", "-q", ours.url(name), "+refs/*:refs/*"], { cwd: directory });
      const values = (cwd: string) => git(["for-each-ref", "--format=%(refname) %(objectname)"], { cwd });
      expect(await values(directory)).toBe(await values(there));
      expect(await reachableIn(directory)).toEqual(await reachableIn(there));
      await expectSound(there);
      await expectSound(directory);
    });

    it("alternates: a shared clone and one with a reference", async () => {
      const [lender, borrower] = [`lender-${transport}-${format}.git`, `borrower-${transport}-${format}.git`];
      copyRepository(`${rich}/${format}.git`, `${root}/${lender}`);
      await git(["clone", "-q", "--mirror", "-s", `${root}/${lender}`, `${root}/${borrower}`]);
      await git(["pack-refs", "--all"], { cwd: `${root}/${borrower}` });
      await grow(`${root}/${borrower}`, "main", 2);
      const [mine, theirs] = await Promise.all([ours, stock].map((way) => mirror(way, borrower)));
      expect(mine?.refs).toEqual(theirs?.refs);
      expect(mine?.objects).toEqual(theirs?.objects);
      // A thin pack whose bases only the lender has.
      await grow(mine?.directory as string, "lonely", 2);
      await ours.git(["push", "-q", ours.url(borrower), "lonely"], { cwd: mine?.directory as string });
      await expectSound(`${root}/${borrower}`);
      expect(leftoversIn(`${root}/${lender}`)).toEqual([]);
      const second = `borrower2-${transport}-${format}.git`;
      await git([
        "clone",
        "-q",
        "--bare",
        "--no-local",
        "--reference",
        `${root}/${borrower}`,
        `${root}/${borrower}`,
        `${root}/${second}`,
      ]);
      const [again, stockAgain] = await Promise.all([ours, stock].map((way) => mirror(way, second)));
      expect(again?.objects).toEqual(stockAgain?.objects);
    });

    it("replace refs are refs like any other, and replace nothing that is sent", async () => {
      const name = `replaced-${transport}-${format}.git`;
      const there = copyRepository(`${rich}/${format}.git`, `${root}/${name}`);
      const [old, other] = ["main~2", "main~4"];
      await git(["replace", old, other], { cwd: there });
      await git(["replace", "main:grows", "main~3:grows"], { cwd: there });
      const [mine, theirs] = await Promise.all([ours, stock].map((way) => mirror(way, name)));
      expect(mine?.refs).toEqual(theirs?.refs);
      expect(mine?.refs.filter((ref) => ref.startsWith("refs/replace/"))).toHaveLength(2);
      expect(mine?.objects).toEqual(theirs?.objects);
      const depth = `${temporaryDirectory("clone")}/c`;
      await ours.git(["clone", "-q", "--bare", "--depth=4", ours.url(name), depth]);
      await expectSound(depth);
    });

    it("a repository that is shallow itself", async () => {
      const name = `shallow-${transport}-${format}.git`;
      await git([
        "clone",
        "-q",
        "--bare",
        "--depth=3",
        "--no-single-branch",
        `file://${root}/as-made-${format}.git`,
        `${root}/${name}`,
      ]);
      const [mine, theirs] = await Promise.all([ours, stock].map((way) => mirror(way, name)));
      expect(mine?.refs).toEqual(theirs?.refs);
      expect(mine?.objects).toEqual(theirs?.objects);
      await expectSound(mine?.directory as string);
      await grow(mine?.directory as string, "main", 1);
      await ours.git(["push", "-q", ours.url(name), "main"], { cwd: mine?.directory as string });
      await expectSound(`${root}/${name}`);
    });
  });
});

describe("names", () => {
  const id = (way: Way, name: string) => way.git(["ls-remote", way.url(name), "HEAD"]);

  it.each(TRANSPORTS)("NAME, NAME.git and NAME/.git, over %s", async (transport) => {
    const ours = wayTo(server, transport, 2);
    const base = `${root}/names-${transport}`;
    mkdirSync(base);
    const make = async (path: string, ...flags: string[]) => {
      await git(["init", "-q", ...flags, `${base}/${path}`]);
      await grow(`${base}/${path}`, "main", 1);
      return git(["rev-parse", "main"], { cwd: `${base}/${path}` });
    };
    const bare = await make("bare.git", "--bare");
    const work = await make("work");
    const plain = await make("plain", "--bare");
    const both = await make("both");
    const inner = await make("both.git", "--bare");
    for (const [name, tip] of [
      ["bare", bare],
      ["bare.git", bare],
      ["work", work],
      ["work/.git", work],
      ["plain", plain],
      ["both", both],
      ["both.git", inner],
    ] as const) {
      expect([name, (await id(ours, `names-${transport}/${name}`)).split("\t")[0]]).toEqual([name, tip]);
      expect(await id(ours, `names-${transport}/${name}`)).toBe(
        await id(stockWay(root, 2), `names-${transport}/${name}`),
      );
    }
    expect((await ours.tryGit(["ls-remote", ours.url(`names-${transport}/plain.git`)])).status).toBe(128);
  });

  it.each(TRANSPORTS)("a .git file, and a linked work tree, over %s", async (transport) => {
    const ours = wayTo(server, transport, 2);
    const base = `${root}/files-${transport}`;
    mkdirSync(base);
    await git(["init", "-q", `--separate-git-dir=${base}/elsewhere`, `${base}/tree`]);
    await grow(`${base}/tree`, "main", 2);
    await git(["worktree", "add", "-q", `${base}/linked`, "-b", "linked", "main"], { cwd: `${base}/tree` });
    for (const name of ["tree", "linked"]) {
      const list = await ours.git(["ls-remote", "--symref", ours.url(`files-${transport}/${name}`)]);
      const stock = stockWay(root, 2);
      expect(list).toContain(`ref: refs/heads/${name === "tree" ? "main" : "linked"}\tHEAD`);
      expect(list).toBe(await stock.git(["ls-remote", "--symref", stock.url(`files-${transport}/${name}`)]));
    }
    const clone = `${temporaryDirectory("clone")}/c`;
    await ours.git(["clone", "-q", ours.url(`files-${transport}/linked`), clone]);
    await git(["commit", "-q", "--allow-empty", "-m", "more"], { cwd: clone });
    await ours.git(["push", "-q", ours.url(`files-${transport}/linked`), "HEAD:refs/heads/pushed"], {
      cwd: clone,
    });
    expect(await git(["rev-parse", "pushed"], { cwd: `${base}/tree` })).toBe(
      await git(["rev-parse", "HEAD"], { cwd: clone }),
    );
  });

  it.each(TRANSPORTS)("what we cannot serve is refused by its name, over %s", async (transport) => {
    const ours = wayTo(server, transport, 2);
    for (const [key, value, words] of [
      ["extensions.teleport", "true", "unknown repository extension found: teleport"],
      ["extensions.refStorage", "stones", "invalid value for 'extensions.refstorage': 'stones'"],
      ["core.repositoryFormatVersion", "9", "Expected git repo version <= 1, found 9"],
    ] as const) {
      const name = `refused-${transport}.git`;
      rmSync(`${root}/${name}`, { recursive: true, force: true });
      await git(["init", "-q", "--bare", `${root}/${name}`]);
      const config = `[core]\n\tbare = true\n\trepositoryFormatVersion = 1\n[${key.split(".")[0]}]\n\t${key.split(".")[1]} = ${value}\n`;
      writeFileSync(`${root}/${name}/config`, config);
      for (const args of [
        ["ls-remote", ours.url(name)],
        ["push", ours.url(name), "HEAD:refs/heads/x"],
      ]) {
        const { status, stderr } = await ours.tryGit(args, { cwd: `${root}/as-made-sha1.git` });
        expect(status).toBe(128);
        // git shows no body of a failed HTTP request; the log names the reason there.
        expect(transport === "http" ? server.log() : stderr).toContain(words);
      }
    }
    expect((await tryGit(["ls-remote", `${server.git}/as-made-sha1.git`])).status).toBe(0);
  });
});
