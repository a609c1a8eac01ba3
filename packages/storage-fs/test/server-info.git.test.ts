import { readFileSync } from "node:fs";
import { createTestRepository, git, temporaryDirectory } from "@tooling/test-kit";
import { createWorkerPool, findRepository, openRepository } from "@x/storage-fs";
import { afterAll, expect, it } from "vitest";

const pool = createWorkerPool();
afterAll(() => pool.close());

it.each(["sha1", "sha256"] as const)(
  "writes what git update-server-info writes, %s",
  async (objectFormat) => {
    const source = await createTestRepository({ objectFormat });
    await source.commit("one");
    await source.git("tag", "-a", "-m", "t", "v1");
    await source.git("tag", "-a", "-m", "of a tag", "nested", "v1");
    await source.git("tag", "light");
    const directory = `${temporaryDirectory("info")}/r.git`;
    await git(["clone", "-q", "--mirror", source.directory, directory]);
    await git(["repack", "-adq"], { cwd: directory });
    await git(["symbolic-ref", "refs/heads/alias", "refs/heads/main"], { cwd: directory });
    await git(["symbolic-ref", "refs/heads/unborn", "refs/heads/none"], { cwd: directory });
    const read = () =>
      ["info/refs", "objects/info/packs"].map((name) => readFileSync(`${directory}/${name}`, "latin1"));
    await git(["update-server-info", "--force"], { cwd: directory });
    const expected = read();
    await git(["update-ref", "refs/heads/more", "main"], { cwd: directory });
    const layout = await findRepository(directory);
    if (layout === undefined) throw new Error("there is no repository");
    const repository = await openRepository(layout, pool);
    await repository.updateServerInfo();
    expect(read()[0]).toContain("refs/heads/more\n");
    await git(["update-ref", "-d", "refs/heads/more"], { cwd: directory });
    await repository.updateServerInfo();
    expect(read()).toEqual(expected);
  },
);
