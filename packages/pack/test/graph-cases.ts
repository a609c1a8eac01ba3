import type { ObjectFormat } from "@x/objects";
import { basics, commitText, row, tagText } from "./case-objects.ts";
import { bytesOf, noise, packOf, whole } from "./pack-builder.ts";
import type { PackCase } from "./pack-cases.ts";

/** Objects that are sound each for itself, and contradict or lack each other. */
export function graphCases(format: ObjectFormat): PackCase[] {
  return [...linkCases(format), ...nestingCases(format), ...sizeCases(format)];
}

function linkCases(format: ObjectFormat): PackCase[] {
  const b = basics(format);
  const none = noise(b.baseId.length, 9);
  const targets: [string, Uint8Array, Uint8Array[]][] = [
    ["a blob that comes", b.baseId, [b.base]],
    ["a tree that comes", b.treeId, [b.tree, b.base, b.other]],
    ["a commit that comes", b.commitId, [b.commit, b.tree, b.base, b.other]],
    ["a blob that is here", b.storedId, []],
    ["a tree that is here", b.storedTreeId, []],
    ["a commit that is here", b.storedCommitId, []],
    ["what is nowhere", none, []],
  ];
  const users: [string, (id: Uint8Array) => Uint8Array][] = [
    ["a tree that has as a file", (id) => whole("tree", row("100644", "x", id))],
    ["a tree that has as a directory", (id) => whole("tree", row("40000", "x", id))],
    ["a tree that has as a link", (id) => whole("tree", row("120000", "x", id))],
    ["a tree that has as a submodule", (id) => whole("tree", row("160000", "x", id))],
    ["a commit whose tree is", (id) => whole("commit", commitText(id))],
    ["a commit whose parent is", (id) => whole("commit", commitText(b.storedTreeId, [id]))],
    ["a tag of a commit that is", (id) => whole("tag", tagText(id, "commit"))],
    ["a tag of a tree that is", (id) => whole("tag", tagText(id, "tree"))],
    ["a tag of a blob that is", (id) => whole("tag", tagText(id, "blob"))],
    ["a tag of a tag that is", (id) => whole("tag", tagText(id, "tag"))],
    ["a tag of a nothing that is", (id) => whole("tag", tagText(id, "nothing"))],
  ];
  return users.flatMap(([user, make]) =>
    targets.flatMap(([target, id, entries]) => {
      const first = { name: `${user} ${target}`, make: () => packOf([make(id), ...entries], { format }) };
      const last = {
        name: `${user} ${target}, last`,
        make: () => packOf([...entries, make(id)], { format }),
      };
      return entries.length === 0 ? [first] : [first, last];
    }),
  );
}

function nestingCases(format: ObjectFormat): PackCase[] {
  const { hash, storedId, storedCommitId } = basics(format);
  const trees = (depth: number) => {
    const entries: Uint8Array[] = [];
    let id = storedId;
    for (let i = 0; i < depth; i++) {
      const data = row(i === 0 ? "100644" : "40000", "d", id);
      id = hash("tree", data);
      entries.push(whole("tree", data));
    }
    const root = commitText(id);
    return [whole("commit", root), ...entries.reverse()];
  };
  const tags = (depth: number) => {
    const entries: Uint8Array[] = [];
    let id = storedCommitId;
    for (let i = 0; i < depth; i++) {
      const data = tagText(id, i === 0 ? "commit" : "tag", `v${i}`);
      id = hash("tag", data);
      entries.push(whole("tag", data));
    }
    return entries;
  };
  const history = (depth: number) => {
    const entries: Uint8Array[] = [];
    let id = storedCommitId;
    for (let i = 0; i < depth; i++) {
      const data = commitText(basics(format).storedTreeId, [id]);
      id = hash("commit", data);
      entries.push(whole("commit", data));
    }
    return entries;
  };
  return [
    ...[1, 100, 2049].map((depth) => ({
      name: `trees ${depth} deep`,
      make: () => packOf(trees(depth), { format }),
    })),
    ...[2050, 5000].map((depth) => ({
      name: `trees ${depth} deep`,
      make: () => packOf(trees(depth), { format }),
      differs: "refused: deeper than core.maxTreeDepth, which this git does not know yet",
    })),
    { name: "trees 5,000 deep that nothing reaches", make: () => packOf(trees(5000).slice(1), { format }) },
    ...[1, 50, 5000].map((depth) => ({
      name: `tags ${depth} deep`,
      make: () => packOf(tags(depth), { format }),
    })),
    { name: "tags 50 deep, the last first", make: () => packOf(tags(50).reverse(), { format }) },
    { name: "20,000 commits in a row", make: () => packOf(history(20_000), { format }), isLarge: true },
    {
      name: "20,000 commits in a row, the last first",
      make: () => packOf(history(20_000).reverse(), { format }),
      isLarge: true,
    },
  ];
}

function sizeCases(format: ObjectFormat): PackCase[] {
  const { storedId, storedTreeId, storedCommitId, hash } = basics(format);
  const wide = (count: number, name: (i: number) => string) =>
    whole("tree", Buffer.concat(Array.from({ length: count }, (_, i) => row("100644", name(i), storedId))));
  const number = (i: number) => `${i}`.padStart(7, "0");
  const lines = (bytes: number) => `x-header ${"y".repeat(bytes - 10)}\n`;
  const parents = (count: number) => {
    const commits = Array.from({ length: count }, (_, i) =>
      commitText(storedTreeId, [storedCommitId], `x-n ${i}\n`),
    );
    const ids = commits.map((data) => hash("commit", data));
    return [whole("commit", commitText(storedTreeId, ids)), ...commits.map((data) => whole("commit", data))];
  };
  const tooLarge = "refused: above receive.maxParsedBytes";
  return [
    { name: "a tree of 1,000 files", make: () => packOf([wide(1000, number)], { format }) },
    {
      name: "a tree of 1,000 files, two of one name",
      make: () => packOf([wide(1000, (i) => number(Math.max(1, i)))], { format }),
    },
    {
      name: "a tree of 1,000 files, out of order",
      make: () => packOf([wide(1000, (i) => number(999 - i))], { format }),
    },
    {
      name: "a tree of 500,000 files",
      make: () => packOf([wide(500_000, number)], { format }),
      isLarge: true,
    },
    {
      name: "a tree of 1,200,000 files",
      make: () => packOf([wide(1_200_000, number)], { format }),
      isLarge: true,
      differs: tooLarge,
    },
    {
      name: "a commit with a header of 1 MiB",
      make: () => packOf([whole("commit", commitText(storedTreeId, [], lines(1 << 20)))], { format }),
    },
    {
      name: "a commit with 100,000 headers",
      make: () =>
        packOf([whole("commit", commitText(storedTreeId, [], "x y\n".repeat(100_000)))], { format }),
    },
    {
      name: "a commit with a header of 33 MiB",
      make: () => packOf([whole("commit", commitText(storedTreeId, [], lines(33 << 20)))], { format }),
      isLarge: true,
      differs: tooLarge,
    },
    { name: "a commit with 3,000 parents", make: () => packOf(parents(3000), { format }) },
    {
      name: "a commit with one parent 10,000 times",
      make: () =>
        packOf(
          [whole("commit", commitText(storedTreeId, new Array<Uint8Array>(10_000).fill(storedCommitId)))],
          { format },
        ),
    },
    { name: "an empty commit", make: () => packOf([whole("commit", new Uint8Array(0))], { format }) },
    { name: "an empty tree", make: () => packOf([whole("tree", new Uint8Array(0))], { format }) },
    { name: "an empty tag", make: () => packOf([whole("tag", new Uint8Array(0))], { format }) },
    {
      name: "a tree that ends in a name",
      make: () => packOf([whole("tree", bytesOf("100644 abc"))], { format }),
    },
    {
      name: "a tree that ends in an id",
      make: () => packOf([whole("tree", row("100644", "a", storedId).subarray(0, -1))], { format }),
    },
    { name: "a tree of one NUL", make: () => packOf([whole("tree", new Uint8Array(1))], { format }) },
    {
      name: "a tree without a mode",
      make: () => packOf([whole("tree", row("", "a", storedId))], { format }),
    },
    {
      name: "a tree with a file without a name",
      make: () => packOf([whole("tree", row("100644", "", storedId))], { format }),
    },
    {
      name: "a tree with .git",
      make: () => packOf([whole("tree", row("40000", ".git", storedTreeId))], { format }),
    },
    {
      name: "a tree with a name of 5,000 bytes",
      make: () => packOf([whole("tree", row("100644", "a".repeat(5000), storedId))], { format }),
      differs: "refused: largePathname, which this git does not know yet",
    },
    {
      name: "a tree with a mode beyond counting",
      make: () => packOf([whole("tree", row("1".repeat(40), "a", storedId))], { format }),
      differs: "refused: git lets the number run over, and sees some other mode",
    },
  ];
}
