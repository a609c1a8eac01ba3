import { git, tryGit } from "@tooling/test-kit";
import type { ObjectFormat, ObjectId, Quarantine } from "@x/objects";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createWorkerPool, type WorkerPool } from "../src/index.ts";
import { emptyRepository, gitPack, inPieces, type MadeRepository, storeOf } from "./made-repository.ts";

let pool: WorkerPool;
beforeAll(() => {
  pool = createWorkerPool({ heavyWorkers: 1 });
});
afterAll(() => pool.close());

const limits = {};
type Made = Pick<MadeRepository, "directory" | "format" | "git">;

describe.each<ObjectFormat>(["sha1", "sha256"])("what a push stands on, %s", (format) => {
  /** Where all objects are. */
  let source: Made;
  /** a/x, a/y, b/deep/z, c */
  let first: ObjectId;
  /** a/x changed, b gone. */
  let second: ObjectId;

  const write = async (type: string, data: string | Uint8Array) =>
    (await git(["hash-object", "-w", "--stdin", "-t", type, "--literally"], {
      cwd: source.directory,
      input: data,
    })) as ObjectId;
  const tree = async (...entries: readonly (readonly [string, string, string])[]) =>
    (await git(["mktree", "--missing"], {
      cwd: source.directory,
      input: entries
        .map(([mode, id, name]) => `${mode} ${mode === "040000" ? "tree" : "blob"} ${id}\t${name}\n`)
        .join(""),
    })) as ObjectId;
  const commit = async (root: string, ...parents: readonly string[]) =>
    (await git(["commit-tree", root, ...parents.flatMap((parent) => ["-p", parent])], {
      cwd: source.directory,
      input: `on ${parents.join(" ")}\n`,
    })) as ObjectId;

  const ids = new Map<string, ObjectId>();
  const id = (name: string) => ids.get(name) as ObjectId;

  beforeAll(async () => {
    source = await emptyRepository(format);
    for (const name of ["x", "x2", "y", "z", "c"]) ids.set(name, await write("blob", `this is ${name}\n`));
    ids.set("a", await tree(["100644", id("x"), "x"], ["100644", id("y"), "y"]));
    ids.set("a2", await tree(["100644", id("x2"), "x"], ["100644", id("y"), "y"]));
    ids.set("deep", await tree(["100644", id("z"), "z"]));
    ids.set("b", await tree(["040000", id("deep"), "deep"]));
    ids.set("root", await tree(["040000", id("a"), "a"], ["040000", id("b"), "b"], ["100644", id("c"), "c"]));
    ids.set("root2", await tree(["040000", id("a2"), "a"], ["100644", id("c"), "c"]));
    first = await commit(id("root"));
    second = await commit(id("root2"), first);
  });

  /** A repository whose only ref is at `tip`, with all of its objects. */
  async function holding(tip: ObjectId) {
    const repository = await emptyRepository(format);
    await git(["index-pack", "--stdin"], {
      cwd: repository.directory,
      input: await gitPack(source.directory, [tip]),
    });
    await repository.git("update-ref", "refs/heads/main", tip);
    return { ...repository, quarantine: await storeOf(pool, repository).receive() };
  }

  async function packOf(...objects: readonly string[]): Promise<Uint8Array> {
    const { stdout } = await tryGit(["pack-objects", "-q", "--stdout"], {
      cwd: source.directory,
      input: objects.map((object) => `${object}\n`).join(""),
    });
    return Buffer.from(stdout, "latin1");
  }

  /** What git's own check says of each tip. */
  async function lostToGit(directory: string, quarantine: Quarantine, tips: readonly ObjectId[]) {
    const answer: ObjectId[] = [];
    for (const tip of tips) {
      const { status } = await tryGit(["rev-list", "--objects", "--quiet", tip, "--not", "--all"], {
        cwd: directory,
        env: Object.fromEntries(quarantine.environment ?? []),
      });
      if (status !== 0) answer.push(tip);
    }
    return answer;
  }

  /** Whether the last pack was seen to connect when it came in. */
  let atOnce: boolean | undefined;

  /** Takes in just these, and asks about `tips`, of which all are new to a repository that has `second`. */
  async function lost(
    tips: readonly ObjectId[],
    objects: readonly string[],
    options: { readonly clientShallow?: readonly ObjectId[]; readonly known?: ObjectId } = {},
  ): Promise<readonly ObjectId[]> {
    const known = options.known ?? second;
    const { directory, quarantine } = await holding(known);
    const connects = { tips, known: async () => [known], areFew: tips.length % 2 === 1 };
    const receipt =
      objects.length === 0
        ? undefined
        : await quarantine.takePack(inPieces(await packOf(...objects)), { limits, connects });
    const answer = await quarantine.unconnected(tips, [known], options);
    // What is found out while the pack comes in says either that all is well, or nothing.
    if (receipt?.connects) expect(answer).toEqual([]);
    atOnce = receipt?.connects;
    if (options.clientShallow === undefined)
      expect(answer).toEqual(await lostToGit(directory, quarantine, tips));
    await quarantine.discard();
    return answer;
  }

  it("a commit whose tree is as it was", async () => {
    const tip = await commit(id("root2"), second);
    expect(await lost([tip], [tip])).toEqual([]);
    expect(atOnce).toBe(true);
  });

  it("one that builds on what no ref reaches, or on nothing known", async () => {
    const between = await commit(id("root2"), second);
    const tip = await commit(id("root2"), between);
    const repository = await holding(second);
    await git(["unpack-objects", "-q"], { cwd: repository.directory, input: await packOf(between) });
    for (const known of [
      async () => [second],
      async () => [],
      () => Promise.reject(new Error("broken refs")),
    ]) {
      const quarantine = await storeOf(pool, repository).receive();
      for (const areFew of [true, false]) {
        const options = { limits, connects: { tips: [tip], known, areFew } };
        expect((await quarantine.takePack(inPieces(await packOf(tip)), options)).connects).toBe(false);
      }
      await quarantine.discard();
    }
    await repository.quarantine.discard();
  });

  it("a tree that history had further down, and blobs from elsewhere in it", async () => {
    const root = await tree(
      ["040000", id("b"), "again"],
      ["100644", id("z"), "from-below"],
      ["040000", id("a"), "the-old-a"],
    );
    const tip = await commit(root, second);
    expect(await lost([tip], [tip, root])).toEqual([]);
  });

  it("what nobody has, at any depth", async () => {
    const stray = await write("blob", "not in the pack\n");
    const below = await tree(["100644", stray, "stray"]);
    const root = await tree(["040000", id("a2"), "a"], ["040000", below, "new"]);
    const tip = await commit(root, second);
    expect(await lost([tip], [tip, root, below])).toEqual([tip]);
    expect(await lost([tip], [tip, root])).toEqual([tip]);
    expect(await lost([tip], [tip])).toEqual([tip]);
    expect(await lost([tip], [])).toEqual([tip]);
    expect(await lost([tip], [tip, root, below, stray])).toEqual([]);
    const orphan = await commit(id("root2"), tip);
    expect(await lost([orphan], [orphan, root, below, stray])).toEqual([orphan]);
  });

  it("a tree that is there, but not all that is below it", async () => {
    const gone = await write("blob", "gone from the store\n");
    const half = await tree(["100644", gone, "gone"]);
    const root = await tree(["040000", half, "half"]);
    const tip = await commit(root, second);
    const { directory, quarantine } = await holding(second);
    await git(["unpack-objects", "-q"], { cwd: directory, input: await packOf(half) });
    await quarantine.takePack(inPieces(await packOf(tip, root)), { limits });
    expect(await quarantine.has([half])).toEqual([true]);
    expect(await quarantine.unconnected([tip], [second])).toEqual([tip]);
    await quarantine.discard();
  });

  it("what is referred to as something that it is not", async () => {
    const rawTree = (mode: string, name: string, object: string) =>
      write("tree", Buffer.concat([Buffer.from(`${mode} ${name}\0`), Buffer.from(object, "hex")]));
    const roots = [await rawTree("100644", "a", id("a2")), await rawTree("40000", "c", id("c"))];
    for (const root of roots) {
      const tip = await commit(root, second);
      expect(await lost([tip], [tip, root])).toEqual([tip]);
      expect(await lost([tip], [tip, root, id("c"), id("a2"), id("x2"), id("y")])).toEqual([tip]);
    }
    const parent = await write("commit", `tree ${id("root2")}\nparent ${id("c")}\nauthor A <a> 1 +0000\n`);
    expect(await lost([parent], [parent])).toEqual([parent]);
  });

  it("each tip on its own", async () => {
    const stray = await write("blob", "another stray\n");
    const root = await tree(["100644", stray, "stray"]);
    const good = await Promise.all(
      [1, 2, 3].map((n) => commit(id("root2"), second, ...Array(n).fill(first))),
    );
    const bad = await commit(root, second);
    const worse = await commit(id("root2"), bad);
    const tips = [good[0], bad, good[1], worse, good[2], second] as ObjectId[];
    expect(await lost(tips, [...good, bad, worse, root])).toEqual([bad, worse]);
    expect(await lost([...good, second, first], good)).toEqual([]);
  });

  it("what came along and is of no use may be broken", async () => {
    const stray = await write("blob", "of no use\n");
    const useless = await tree(["100644", stray, "stray"]);
    const tip = await commit(id("root2"), second);
    expect(await lost([tip], [tip, useless])).toEqual([]);
    const malformed = await write("commit", "tree of nothing\n\n");
    expect(await lost([tip], [tip, malformed])).toEqual([]);
    expect(await lost([malformed], [malformed])).toEqual([malformed]);
  });

  it("tags of anything", async () => {
    const tag = (target: string, type: string) =>
      write("tag", `object ${target}\ntype ${type}\ntag t\ntagger A <a@example.com> 1 +0000\n\nx\n`);
    const ofBlob = await tag(id("z"), "blob");
    const ofTree = await tag(id("deep"), "tree");
    const ofTag = await tag(ofTree, "tag");
    const ofCommit = await tag(first, "commit");
    const all = [ofBlob, ofTree, ofTag, ofCommit];
    expect(await lost(all, all)).toEqual([]);
    const ofNothing = await tag(await commit(id("root"), second, first), "commit");
    expect(await lost([ofNothing, ofTag], [...all, ofNothing])).toEqual([ofNothing]);
    expect(await lost([ofTag], [ofTag])).toEqual([ofTag]);
  });

  it("trees without entries, which nobody has to send", async () => {
    const empty = await tree();
    const tip = await commit(empty, second);
    expect(await lost([tip], [tip])).toEqual([]);
    const root = await tree(["040000", empty, "empty"]);
    const next = await commit(root, tip);
    expect(await lost([next], [tip, next, root])).toEqual([]);
  });

  it("commits that the client has no parents of", async () => {
    const absent = await commit(id("root"), second);
    const tip = await commit(id("root2"), absent);
    expect(await lost([tip], [tip])).toEqual([tip]);
    expect(await lost([tip], [tip], { clientShallow: [tip] })).toEqual([]);
    expect(await lost([tip], [tip], { clientShallow: [second] })).toEqual([tip]);
  });

  it("what completes a thin pack was not looked into", async () => {
    const text = Array.from({ length: 300 }, (_, i) => `line ${i}\n`).join("");
    const entries = (n: number) =>
      Array.from({ length: 40 }, (_, i) => ["100644", id(i < n ? "x" : "y"), `file${10 + i}`] as const);
    const blob = await write("blob", text);
    const base = await tree(...entries(3), ["100644", blob, "text"]);
    const tip = await commit(await tree(...entries(4), ["100644", blob, "text"]), await commit(base, second));
    const repository = await holding(second);
    // The store has the tree that the pack's is a delta of, but not the blob in it.
    await git(["unpack-objects", "-q"], { cwd: repository.directory, input: await packOf(base) });
    const parent = await source.git("rev-parse", `${tip}^`);
    const thin = await gitPack(source.directory, [tip, `^${parent}`], "--thin");
    await repository.quarantine.takePack(inPieces(thin), { limits });
    const rest = await packOf(parent);
    await repository.quarantine.takePack(inPieces(rest), { limits });
    expect(await repository.quarantine.unconnected([tip], [second])).toEqual([tip]);
    await repository.quarantine.discard();
  });

  it("trees that are nested too deep", async () => {
    let inner = id("deep");
    const trees: ObjectId[] = [];
    for (let i = 0; i < 20; i++) {
      inner = await tree(["040000", inner, "d"]);
      trees.push(inner);
    }
    const tip = await commit(inner, second);
    for (const [maxTreeDepth, expected] of [
      [20, []],
      [19, [tip]],
      [5, [tip]],
      [2048, []],
    ] as const) {
      const { quarantine } = await holding(second);
      await quarantine.takePack(inPieces(await packOf(tip, ...trees)), { limits: { maxTreeDepth } });
      expect(await quarantine.unconnected([tip], [second])).toEqual(expected);
      await quarantine.discard();
    }
  });

  it("as git rev-list says, whatever single object is left out", async () => {
    const more = await commit(
      await tree(["040000", id("b"), "moved"], ["100644", await write("blob", "new\n"), "new"]),
      second,
      await commit(id("a2"), first),
    );
    const news = (await source.git("rev-list", "--objects", "--no-object-names", more, `^${first}`)).split(
      "\n",
    );
    for (const left of news) {
      const repository = await holding(first);
      const quarantine: Quarantine = repository.quarantine;
      await quarantine.takePack(inPieces(await packOf(...news.filter((one) => one !== left))), { limits });
      const expected = await lostToGit(repository.directory, quarantine, [more]);
      expect(await quarantine.unconnected([more], [first])).toEqual(expected);
      await quarantine.discard();
    }
  });
});
