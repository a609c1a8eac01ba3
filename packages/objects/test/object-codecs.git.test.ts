import { createTestRepository, git } from "@tooling/test-kit";
import { describe, expect, it } from "vitest";
import { parseCommitLinks } from "../src/commit.ts";
import { hashObject } from "../src/hasher.ts";
import { parseTagTarget } from "../src/tag.ts";
import { formatTree, parseTree } from "../src/tree.ts";

describe.each(["sha1", "sha256"] as const)("commits, trees and tags that git made, %s", (objectFormat) => {
  it("read as git reads them, and trees are written as git writes them", async () => {
    const repository = await createTestRepository({ objectFormat });
    const read = async (type: string, name: string) =>
      Buffer.from((await repository.git("cat-file", type, name)) + (type === "tree" ? "" : "\n"), "latin1");
    const one = await repository.commit(
      "one",
      { "a-b": "x", "a.c": "y", a0: "z", "\u00e9": "w" },
      1_234_567_890,
    );
    await repository.git(
      "update-index",
      "--add",
      "--cacheinfo",
      `100644,${await repository.git("rev-parse", "HEAD:a0")},a/b`,
    );
    await repository.git("update-index", "--add", "--cacheinfo", `160000,${one},module`);
    await repository.git("commit", "-q", "-m", "two");
    const merge = await repository.git("commit-tree", "-p", "HEAD", "-p", one, "-m", "three", "HEAD^{tree}");
    await repository.git("tag", "-a", "-m", "x", "annotated", merge);

    const shown = (await repository.git("show", "-s", "--format=%T %P %ct", merge)).split(" ");
    const { tree, parents, committedAt } = parseCommitLinks(await read("commit", merge), objectFormat);
    expect([tree, ...parents, String(committedAt)]).toEqual(shown);
    expect(parseCommitLinks(await read("commit", one), objectFormat).committedAt).toBe(1_234_567_890);

    const target = parseTagTarget(await read("tag", "annotated"), objectFormat);
    expect(target).toEqual({ id: merge, type: "commit" });

    const bytes = await read("tree", `${merge}^{tree}`);
    const entries = parseTree(bytes, objectFormat);
    const listed = await git(["ls-tree", "-z", merge], { cwd: repository.directory });
    expect(
      entries.map(({ mode, name, id }) => `${mode.toString(8).padStart(6, "0")} ${id}\t${name}`),
    ).toEqual(
      listed
        .split("\0")
        .slice(0, -1)
        .map((line) => line.replace(/ [a-z]+ /, " ")),
    );
    const written = formatTree([...entries].reverse());
    expect(Buffer.from(written).equals(bytes)).toBe(true);
    expect(hashObject(objectFormat, "tree", written)).toBe(tree);
  });
});
