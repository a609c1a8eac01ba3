import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createTestRepository, git, moveToReftable, temporaryDirectory, tryGit } from "@tooling/test-kit";
import type { ObjectId } from "@x/objects";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  createFileConfig,
  createWorkerPool,
  type FileRepository,
  findRepository,
  type OpenRepositoryOptions,
  openRepository,
  readRepositoryConfig,
  type WorkerPool,
} from "../src/index.ts";

let pool: WorkerPool;
beforeAll(() => {
  pool = createWorkerPool({ heavyWorkers: 1 });
});
afterAll(() => pool.close());

const NEEDS = "denyCurrentBranch = updateInstead needs a worktree";

async function open(path: string, options: OpenRepositoryOptions = {}): Promise<FileRepository> {
  const layout = await findRepository(path);
  if (layout === undefined) throw new Error(`no repository at ${path}`);
  return openRepository(layout, pool, options);
}

/** Which branch is checked out where, last parts of the directories only. */
async function placesOf(repository: FileRepository): Promise<string[]> {
  const trees = await repository.workTrees();
  return trees.map(({ directory, branch }) => `${directory.replace(/.*\//, "")} ${branch ?? "-"}`);
}

async function repositoryWithTrees() {
  const root = temporaryDirectory("trees");
  const main = await createTestRepository({ directory: `${root}/main` });
  const first = await main.commit("one");
  const second = await main.commit("two");
  await main.git("worktree", "add", "-q", "-b", "side", `${root}/linked`, first);
  await main.git("worktree", "add", "-q", "--detach", `${root}/detached`);
  return { root, main, first: first as ObjectId, second: second as ObjectId };
}

describe("the work trees of a repository", () => {
  it("are the same from each of them", async () => {
    const { root, main } = await repositoryWithTrees();
    await main.git("symbolic-ref", "refs/heads/alias", "refs/heads/main");
    await main.git("symbolic-ref", "HEAD", "refs/heads/alias");
    const expected = ["main refs/heads/main", "detached -", "linked refs/heads/side"];
    for (const name of ["main", "linked", "detached"])
      expect(await placesOf(await open(`${root}/${name}`))).toEqual(expected);
  });

  it("count when their files are gone, and while they are rebased or bisected", async () => {
    const { root, main, first } = await repositoryWithTrees();
    rmSync(`${root}/linked`, { recursive: true });
    await git(["switch", "-q", "-c", "bisected"], { cwd: `${root}/detached` });
    await git(["bisect", "start"], { cwd: `${root}/detached` });
    await git(["bisect", "bad", "HEAD"], { cwd: `${root}/detached` });
    await git(["bisect", "good", first], { cwd: `${root}/detached` });
    await git(["checkout", "-q", "--detach"], { cwd: `${root}/detached` });
    await main.git("switch", "-q", "-c", "rebased");
    await tryGit(["rebase", "-q", "--exec", "false", first], { cwd: main.directory });
    const repository = await open(main.directory);
    expect(await placesOf(repository)).toEqual([
      "main refs/heads/rebased",
      "detached refs/heads/bisected",
      "linked refs/heads/side",
    ]);
    const linked = (await repository.workTrees())[2];
    expect(await linked?.update(first, first, {})).toBe(NEEDS);
  });

  it("have their branches in reftables", async () => {
    const { directory, gitDirectory, commit } = await createTestRepository();
    await commit("one");
    await moveToReftable(gitDirectory);
    expect((await placesOf(await open(directory)))[0]).toMatch(/ refs\/heads\/main$/);
  });

  it("do not count the main one of a bare repository", async () => {
    const { root, main } = await repositoryWithTrees();
    await main.git("config", "core.bare", "true");
    expect(await placesOf(await open(`${root}/linked`))).toEqual(["detached -", "linked refs/heads/side"]);
  });
});

describe("a work tree elsewhere", () => {
  it("is changed when its .git leads back, or when the operator says so", async () => {
    const { root, main, first, second } = await repositoryWithTrees();
    await main.git("reset", "-q", "--hard", first);
    renameSync(`${root}/main/.git`, `${root}/apart.git`);
    await git(["config", "core.worktree", "../main"], { cwd: `${root}/apart.git` });
    const update = async (options?: OpenRepositoryOptions) => {
      const tree = (await (await open(`${root}/apart.git`, options)).workTrees())[0];
      expect(tree?.directory).toBe(`${root}/main`);
      return tree?.update(first, second, {});
    };
    expect(await update()).toBe(NEEDS);
    writeFileSync(`${root}/main/.git`, `gitdir: ${root}/elsewhere.git\n`);
    expect(await update()).toBe(NEEDS);
    writeFileSync(`${root}/main/.git`, "gitdir: ../apart.git\n");
    expect(await update()).toBeUndefined();
    await git(["update-ref", "refs/heads/main", second], { cwd: `${root}/main` });
    expect(await git(["status", "--porcelain"], { cwd: `${root}/main` })).toBe("");

    await git(["reset", "-q", "--hard", first], { cwd: `${root}/main` });
    rmSync(`${root}/main/.git`);
    const layout = await findRepository(`${root}/apart.git`);
    const own = layout === undefined ? createFileConfig([]) : await readRepositoryConfig(layout);
    expect(await update({ config: own })).toBeUndefined();
  });

  it("is not written to because a linked one claims it", async () => {
    const { root, main, first, second } = await repositoryWithTrees();
    const victim = `${root}/victim`;
    mkdirSync(victim);
    writeFileSync(`${main.gitDirectory}/worktrees/linked/gitdir`, `${victim}/.git\n`);
    const tree = (await (await open(main.directory)).workTrees()).find(
      ({ directory }) => directory === victim,
    );
    expect(await tree?.update(first, second, {})).toBe(NEEDS);
    expect(readdirSync(victim)).toEqual([]);
  });

  it("is never the git directory itself", async () => {
    const directory = `${temporaryDirectory("bare")}/r.git`;
    const source = await createTestRepository();
    const tip = (await source.commit("one")) as ObjectId;
    await git(["clone", "-q", "--bare", source.directory, directory]);
    await git(["config", "core.bare", "false"], { cwd: directory });
    const before = readdirSync(directory).sort();
    const tree = (await (await open(directory)).workTrees())[0];
    expect(await tree?.update(undefined, tip, {})).toBe(NEEDS);
    expect(readdirSync(directory).sort()).toEqual(before);
  });
});
