import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createTestRepository, git } from "@tooling/test-kit";
import { describe, expect, it } from "vitest";
import { parsePackedRefs } from "../src/packed-refs.ts";
import { formatPackedRefs } from "../src/packed-refs-writer.ts";

describe.each(["sha1", "sha256"] as const)("packed-refs beside git, %s", (objectFormat) => {
  it("reads what git pack-refs writes, and writes the same", async () => {
    const repository = await createTestRepository({ objectFormat });
    const one = await repository.commit("one");
    const names = ["refs/heads/\xff\xfe", "refs/heads/a-b", "refs/heads/a/b", "refs/tags/light", "refs/x/@"];
    const input = Buffer.from(names.map((name) => `create ${name} ${one}\n`).join(""), "latin1");
    await git(["update-ref", "--stdin"], { cwd: repository.directory, input });
    await repository.git("tag", "-a", "-m", "x", "annotated");
    await repository.git("tag", "-a", "-m", "x", "nested", "annotated");
    const shown = await repository.git("for-each-ref", "--format=%(objectname) %(refname)");
    await repository.git("pack-refs", "--all", "--prune");
    const path = join(repository.gitDirectory, "packed-refs");
    const bytes = readFileSync(path);
    const packed = parsePackedRefs(bytes, objectFormat);
    const refs = Array.from({ length: packed.length }, (_, index) => packed.refAt(index));
    expect(refs.map(({ name, target }) => `${target.kind === "id" ? target.id : ""} ${name}`)).toEqual(
      shown.split("\n"),
    );
    expect(refs.filter((ref) => ref.peeled === one).map((ref) => ref.name)).toEqual([
      "refs/tags/annotated",
      "refs/tags/nested",
    ]);
    const ours = Buffer.concat([...formatPackedRefs(refs)]);
    expect(ours.equals(bytes)).toBe(true);
    rmSync(path);
    writeFileSync(path, ours);
    expect(await repository.git("for-each-ref", "--format=%(objectname) %(refname)")).toBe(shown);
  });
});
