import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { git } from "@tooling/test-kit";
import { hashObject, type ObjectFormat, objectIdToBytes, parseObjectId, rawIdLength } from "@x/objects";
import { createNodeHasher } from "@x/objects/node";
import { beforeAll, describe, expect, it } from "vitest";
import {
  allReach,
  CommitGraph,
  CommitTable,
  enumerateObjects,
  findDepths,
  type ObjectTable,
  PackError,
  unreachableCommits,
} from "../src/index.ts";
import { finish, numberOf, openTable } from "./open-table.ts";
import { Random } from "./random.ts";
import { type History, randomHistory } from "./random-history.ts";

interface GraphFiles {
  readonly files: Uint8Array[];
  readonly names: Uint8Array[];
}

function graphFiles(directory: string, format: ObjectFormat): GraphFiles {
  const info = join(directory, "objects/info");
  const single = join(info, "commit-graph");
  if (existsSync(single)) return { files: [new Uint8Array(readFileSync(single))], names: [] };
  const chain = readFileSync(join(info, "commit-graphs/commit-graph-chain"), "latin1").trim().split("\n");
  return {
    files: chain.map((id) => new Uint8Array(readFileSync(join(info, `commit-graphs/graph-${id}.graph`)))),
    names: chain.map((id) => objectIdToBytes(parseObjectId(id, format) ?? never(id))),
  };
}

function never(text: string): never {
  throw new Error(`not an id: ${text}`);
}

function openGraph({ files, names }: GraphFiles, format: ObjectFormat): CommitGraph {
  return CommitGraph.open(files, names, format, createNodeHasher);
}

/** In three steps, each on top of the one before. */
async function writeChain({ directory, commits }: History): Promise<void> {
  for (const share of [0.4, 0.7, 0.9])
    await git(["commit-graph", "write", "--stdin-commits", "--split=no-merge"], {
      cwd: directory,
      input: `${commits.slice(0, commits.length * share).join("\n")}\n`,
    });
}

const write =
  (...args: string[]) =>
  async (history: History) =>
    void (await history.git(...args, "commit-graph", "write", "--reachable"));

describe.each([
  { name: "one file", format: "sha1", skewed: false, make: write() },
  { name: "one file", format: "sha256", skewed: true, make: write() },
  { name: "levels only", format: "sha1", skewed: true, make: write("-c", "commitGraph.generationVersion=1") },
  { name: "a chain", format: "sha1", skewed: false, make: writeChain },
  { name: "a chain", format: "sha256", skewed: true, make: writeChain },
] as const)("commit-graph: $name, $format, clocks skewed: $skewed", ({ format, skewed, make }) => {
  let history: History;
  let plain: ObjectTable;
  let table: ObjectTable;

  beforeAll(async () => {
    history = await randomHistory({ format, skewed, seed: 23, commits: 100 });
    await make(history);
    plain = openTable(history.directory, format);
    const commitGraph = openGraph(graphFiles(history.directory, format), format);
    expect(commitGraph.count).toBeGreaterThan(50);
    table = openTable(history.directory, format, { commitGraph });
  });

  const ids = (numbers: Iterable<number>, objects: ObjectTable) =>
    [...numbers].map((number) => objects.id(number)).sort();
  /** What a walk says with the graph and without it. */
  const both = <T>(ask: (objects: ObjectTable) => T): [T, T] => [ask(table), ask(plain)];
  const same = <T>(ask: (objects: ObjectTable) => T): T => {
    const [withGraph, without] = both(ask);
    expect(withGraph).toEqual(without);
    return without;
  };

  it("says of every commit what the commit says", () => {
    for (const id of history.commits)
      same((objects) => {
        const commits = new CommitTable(objects);
        const number = numberOf(objects, id);
        const parents = commits.parents(number).map((parent) => objects.id(parent));
        return [commits.time(number), objects.id(commits.tree(number)), parents];
      });
  });

  it("gives every commit a greater generation than its parents", () => {
    const commits = new CommitTable(table);
    let finite = 0;
    for (const id of history.commits) {
      const commit = numberOf(table, id);
      const own = commits.generation(commit);
      if (own < Infinity) finite++;
      if (own < Infinity)
        for (const parent of commits.parents(commit)) expect(commits.generation(parent)).toBeLessThan(own);
    }
    expect(finite).toBe(table.commitGraph?.count);
  });

  it("leaves the parents of a boundary out of account", () => {
    const child = history.commits.findLast(
      (id) => new CommitTable(table).parents(numberOf(table, id)).length > 0,
    );
    const number = numberOf(table, child as string);
    expect(new CommitTable(table, new Set([number])).parents(number)).toEqual([]);
  });

  it("changes no answer about what reaches what", () => {
    const random = new Random(5);
    let reached = 0;
    for (let round = 0; round < 300; round++) {
      const some = random.some(history.commits, 1 + random.below(4));
      const others = random.some(history.commits, 1 + random.below(4));
      const numbers = (objects: ObjectTable, list: readonly string[]) =>
        list.map((id) => numberOf(objects, id));
      same((objects) =>
        ids(
          finish(
            unreachableCommits(
              new CommitTable(objects),
              new Set(numbers(objects, some)),
              numbers(objects, others),
            ),
          ),
          objects,
        ),
      );
      const all = same((objects) =>
        finish(allReach(new CommitTable(objects), numbers(objects, some), new Set(numbers(objects, others)))),
      );
      if (all) reached++;
    }
    expect(reached).toBeGreaterThan(20);
  });

  it("changes no boundary and no selection", () => {
    const random = new Random(6);
    for (let round = 0; round < 40; round++) {
      const want = random.pick(history.commits);
      const have = random.pick(history.commits);
      const since = 1_600_000_000 + 60 * random.below(100);
      same((objects) => {
        const wants = [numberOf(objects, want)];
        const search = round % 2 === 0 ? { depth: 1 + random.below(1) } : { not: [numberOf(objects, have)] };
        try {
          const { inner, border } = finish(
            findDepths(new CommitTable(objects), { wants, clientShallow: [], ...search }, new Set()),
          );
          return [ids(inner, objects), ids(border, objects)];
        } catch (error) {
          return (error as PackError).code; // nothing selected
        }
      });
      same((objects) => {
        const search = { wants: [numberOf(objects, want)], clientShallow: [], since };
        try {
          return ids(finish(findDepths(new CommitTable(objects), search, new Set())).inner, objects);
        } catch (error) {
          return (error as PackError).code;
        }
      });
      same((objects) => {
        const request = { wants: [numberOf(objects, want)], haves: [numberOf(objects, have)] };
        const selection = finish(enumerateObjects(objects, request));
        return ids(
          Array.from({ length: objects.count }, (_, number) => number).filter((n) => selection.isSelected(n)),
          objects,
        );
      });
    }
  });
});

describe("a commit-graph that is broken", () => {
  const format = "sha1";
  let good: Uint8Array;
  let chain: GraphFiles;
  let table: ObjectTable;

  beforeAll(async () => {
    const history = await randomHistory({ seed: 7, commits: 40 });
    table = openTable(history.directory, format);
    await writeChain(history);
    chain = graphFiles(history.directory, format);
    await history.git("-c", "commitGraph.changedPaths=true", "commit-graph", "write", "--reachable");
    good = graphFiles(history.directory, format).files[0] as Uint8Array;
  });

  const open = (bytes: Uint8Array) => CommitGraph.open([bytes], [], format, createNodeHasher);
  const refused = expect.objectContaining({
    name: "PackError",
    code: expect.stringMatching(/^pack\/bad-(?:index|checksum)$/),
  });

  it("is refused when it is cut anywhere", () => {
    expect(open(good).count).toBeGreaterThan(20);
    for (let length = 0; length < good.length; length++)
      if (attempt(() => open(good.subarray(0, length))) !== undefined) expect.fail(`cut at ${length}`);
  });

  it("is refused when a bit has flipped", () => {
    for (let at = 0; at < good.length; at++) {
      const bytes = good.slice();
      bytes[at] = (bytes[at] as number) ^ (1 << (at % 8));
      if (attempt(() => open(bytes)) !== undefined) expect.fail(`flipped at ${at}`);
    }
  });

  it("is refused or leads nowhere outside when it was sealed again after that", () => {
    let opened = 0;
    let outside = 0;
    for (let at = 0; at < good.length - rawIdLength(format); at++) {
      const bytes = good.slice();
      bytes[at] = (bytes[at] as number) ^ (at % 3 === 0 ? 0xff : 0x80);
      const graph = attempt(() => open(seal(bytes)));
      if (graph === undefined) continue;
      opened++;
      for (let position = 0; position < graph.count; position++) {
        const found = graph.find(graph.rawId(position), 0);
        const lengths = [
          graph.rawTree(position),
          ...graph.parents(position).map((parent) => graph.rawId(parent)),
        ];
        if (found >= graph.count || !(graph.generation(position) >= 0)) outside++;
        if (lengths.some(({ length }) => length !== 20)) outside++;
      }
    }
    expect(opened).toBeGreaterThan(100);
    expect(outside).toBe(0);
  });

  it("ends every walk when it says that history runs in a circle", () => {
    const bytes = good.slice();
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    const data = chunkAt(bytes, "CDAT");
    const graph = open(good);
    // Each commit has the next one as its only parent, the last one the first.
    for (let position = 0; position < graph.count; position++) {
      view.setUint32(data + position * 36 + 20, (position + 1) % graph.count);
      view.setUint32(data + position * 36 + 24, 0x70000000);
    }
    const circle = table.withLoose({ has: () => false, read: () => undefined, header: () => undefined }, () =>
      open(seal(bytes)),
    );
    const numbers = Array.from({ length: graph.count }, (_, i) => circle.find(graph.rawId(i), 0));
    const [first = -1, second = -1] = numbers;
    expect(finish(unreachableCommits(new CommitTable(circle), new Set([second]), [first])).size).toBeLessThan(
      2,
    );
    expect(typeof finish(allReach(new CommitTable(circle), [first], new Set([second])))).toBe("boolean");
    const search = { wants: [first], clientShallow: [], depth: 1000 };
    expect(finish(findDepths(new CommitTable(circle), search, new Set())).inner.size).toBe(graph.count);
  });

  it("is refused on top of other files than its own, and without them", () => {
    const { files, names } = chain;
    expect(files.length).toBe(3);
    expect(openGraph(chain, format).count).toBe(36);
    expect(() => openGraph({ files: files.slice(1), names: names.slice(1) }, format)).toThrow(refused);
    const swapped = [files[1], files[0], files[2]] as Uint8Array[];
    expect(() => openGraph({ files: swapped, names }, format)).toThrow(refused);
    const other = objectIdToBytes(hashObject(format, "blob", new Uint8Array(1)));
    expect(() => openGraph({ files, names: [other, ...names.slice(1)] }, format)).toThrow(refused);
  });

  it("is refused in a repository of another hash", () => {
    expect(() => CommitGraph.open([good], [], "sha256", createNodeHasher)).toThrow(refused);
  });
});

it("reads dates that were corrected by more than fits beside them", async () => {
  const history = await randomHistory({ seed: 3, commits: 3 });
  const tree = await history.git("rev-parse", `${history.commits[0]}^{tree}`);
  const commit = async (seconds: number, ...parents: string[]) => {
    const date = { GIT_AUTHOR_DATE: `@${seconds} +0000`, GIT_COMMITTER_DATE: `@${seconds} +0000` };
    const args = parents.flatMap((parent) => ["-p", parent]);
    return git(["commit-tree", "-m", "x", ...args, tree], { cwd: history.directory, env: date });
  };
  const late = await commit(4_000_000_000);
  const early = await commit(1_000_000, late);
  await history.git("update-ref", "refs/heads/far", early);
  await history.git("commit-graph", "write", "--reachable");
  const graph = openGraph(graphFiles(history.directory, "sha1"), "sha1");
  const position = graph.find(Buffer.from(early, "hex"), 0);
  expect(graph.time(position)).toBe(1_000_000);
  expect(graph.generation(position)).toBe(4_000_000_001);
});

function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (error instanceof PackError) return undefined;
    throw error;
  }
}

/** With the right checksum. */
function seal(bytes: Uint8Array): Uint8Array {
  const end = bytes.length - 20;
  const hasher = createNodeHasher("sha1");
  hasher.update(bytes.subarray(0, end));
  bytes.set(hasher.digest(), end);
  return bytes;
}

function chunkAt(bytes: Uint8Array, name: string): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  for (let at = 8; ; at += 12)
    if (String.fromCharCode(...bytes.subarray(at, at + 4)) === name) return view.getUint32(at + 8);
}
