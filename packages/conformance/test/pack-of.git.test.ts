import { writeFileSync } from "node:fs";
import { git, temporaryDirectory } from "@tooling/test-kit";
import { describe, expect, it } from "vitest";
import { makeHistory } from "../src/sample/history.ts";
import { packOf } from "../src/sample/pack-of.ts";

describe.each(["sha1", "sha256"] as const)("the history that cases are about, %s", (format) => {
  it("is one that git takes for whole, and walks the same way", async () => {
    const { objects, commits, tagOfTag, reach } = makeHistory(format);
    const directory = `${temporaryDirectory("history")}/r.git`;
    await git(["init", "-q", "--bare", `--object-format=${format}`, directory]);
    const [large] = objects.filter(({ data }) => data.length > 100_000);
    const rest = objects.filter((object) => object !== large && object.type !== "blob");
    const blobs = objects.filter(({ type }) => type === "blob");
    const [first, ...others] = blobs as [(typeof blobs)[0], ...typeof blobs];
    const parts = [...rest, first, ...others.map((object) => ({ object, base: first }))];
    writeFileSync(`${directory}/in.pack`, packOf(format, parts));
    await git(["index-pack", "--strict", `${directory}/in.pack`], { cwd: directory });
    const pack = packOf(format, parts);
    await git(["unpack-objects", "-q"], { cwd: directory, input: pack });
    await git(["update-ref", "refs/heads/main", commits.tip.id], { cwd: directory });
    await git(["update-ref", "refs/tags/v2", tagOfTag.id], { cwd: directory });
    await git(["fsck", "--strict"], { cwd: directory });
    const list = async (...args: string[]) =>
      new Set(
        (await git(["rev-list", "--objects", "--no-object-names", ...args], { cwd: directory })).split("\n"),
      );
    expect(await list(commits.tip.id, tagOfTag.id)).toEqual(reach([commits.tip, tagOfTag]));
    const less = await list(commits.tip.id, `^${commits.three.id}`);
    // What is left out of what boundaries share is git's to choose; of commits there is no choice.
    for (const { id, type } of objects)
      if (type === "commit") expect(less.has(id)).toBe(reach([commits.tip], [commits.three]).has(id));
  });
});
