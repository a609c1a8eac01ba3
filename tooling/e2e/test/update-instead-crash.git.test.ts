import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { git, moveToReftable, temporaryDirectory, tryGit } from "@tooling/test-kit";
import { describe, expect, it } from "vitest";
import { fatalStepArguments } from "./fatal-step.ts";
import { BIN } from "./server.ts";
import { XGIT } from "./way.ts";

/** Steps that an update of files takes, beside those of any push. */
const STEPS = ["rename", "unlink", "mkdir", "write"];
/** More than such a push takes. */
const MAX_STEPS = 60;

describe("a push to a checked-out branch that dies at any step", () => {
  const root = temporaryDirectory("root");
  const [work, there] = [`${root}/work`, `${root}/there`];
  const inWork = (...args: string[]) => git(args, { cwd: work });
  const inThere = (...args: string[]) => git(args, { cwd: there });
  const program = [process.execPath, ...fatalStepArguments(), BIN].map((word) => `'${word}'`).join(" ");
  const push = (command: string, env: Readonly<Record<string, string>> = {}) =>
    tryGit(["push", `--receive-pack=${command} receive-pack`, there, "main"], { cwd: work, env });

  const commit = async (message: string, files: Readonly<Record<string, string>>) => {
    for (const name of readdirSync(work)) if (name !== ".git") rmSync(`${work}/${name}`, { recursive: true });
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(`${work}/${path}`.replace(/\/[^/]*$/, ""), { recursive: true });
      writeFileSync(`${work}/${path}`, text);
    }
    await inWork("add", "-A");
    await inWork("commit", "-q", "-m", message);
  };

  it.each(STEPS)("%s: git is told the truth, and the next one goes through", async (step) => {
    rmSync(work, { recursive: true, force: true });
    await git(["init", "-q", "-b", "main", work]);
    await commit("one", { a: "a\n", b: "b\n", "dir/c": "c\n", "gone/d": "d\n", kept: "kept\n" });
    const base = await inWork("rev-parse", "main");
    await commit("two", { a: "new\n", "b/now/deep": "b\n", dir: "file\n", kept: "kept\n", "more/e": "e\n" });
    let died = 0;
    for (let number = 1; number <= MAX_STEPS; number++) {
      rmSync(there, { recursive: true, force: true });
      await git(["clone", "-q", work, there]);
      await inThere("reset", "-q", "--hard", base);
      await inThere("config", "receive.denyCurrentBranch", "updateInstead");
      const first = await push(program, { FATAL_STEP: `${step}:${number}` });
      if (first.status === 0) {
        expect(await inThere("status", "--porcelain")).toBe("");
        break;
      }
      died++;
      // What git finds by the index that is there is what it finds without one.
      if ((await inThere("status", "--porcelain")) === "") {
        const env = { GIT_INDEX_FILE: `${root}/index${died}` };
        await git(["read-tree", "HEAD"], { cwd: there, env });
        expect(await git(["status", "--porcelain"], { cwd: there, env })).toBe("");
      }
      await git(["ls-remote", `--upload-pack=${XGIT} upload-pack`, there]);
      expect(existsSync(`${there}/.git/index.lock`)).toBe(false);
      await inThere("reset", "-q", "--hard");
      await inThere("clean", "-qfd");
      expect(await push(XGIT)).toMatchObject({ status: 0 });
      expect(await inThere("status", "--porcelain")).toBe("");
      expect(await inThere("rev-parse", "HEAD")).toBe(await inWork("rev-parse", "main"));
      expect(await inThere("fsck", "--strict", "--no-progress", "--no-dangling")).toBe("");
    }
    expect(died).toBeGreaterThan(1);
    expect(died).toBeLessThan(MAX_STEPS);
  });

  // A stock git that knows no reftables looks at files and index from the repository that was pushed.
  it.each(["rename", "write"])(
    "%s, with refs in reftables: the lock of the index goes, and the next one goes through",
    async (step) => {
      rmSync(work, { recursive: true, force: true });
      await git(["init", "-q", "-b", "main", work]);
      await commit("one", { a: "a\n", "dir/c": "c\n" });
      await commit("two", { a: "new\n", dir: "file\n" });
      const seen = (...args: string[]) =>
        git(args, {
          cwd: there,
          env: { GIT_DIR: `${work}/.git`, GIT_WORK_TREE: there, GIT_INDEX_FILE: index },
        });
      const index = `${there}/.git/index`;
      let [died, locked] = [0, 0];
      for (let number = 1; number <= MAX_STEPS; number++) {
        rmSync(there, { recursive: true, force: true });
        await git(["clone", "-q", work, there]);
        await inThere("reset", "-q", "--hard", "main~1");
        await inThere("config", "receive.denyCurrentBranch", "updateInstead");
        await moveToReftable(`${there}/.git`);
        const first = await push(program, { FATAL_STEP: `${step}:${number}` });
        if (first.status === 0) break;
        died++;
        if (existsSync(`${index}.lock`)) locked++;
        await git(["ls-remote", `--upload-pack=${XGIT} upload-pack`, there]);
        expect(existsSync(`${index}.lock`)).toBe(false);
        const [branch = ""] = (
          await git(["ls-remote", `--upload-pack=${XGIT} upload-pack`, there, "refs/heads/main"])
        ).split("\t");
        await seen("read-tree", "--reset", "-u", branch);
        await seen("clean", "-qfd");
        expect(await push(XGIT)).toMatchObject({ status: 0 });
        expect(await seen("status", "--porcelain")).toBe("");
      }
      expect(died).toBeGreaterThan(1);
      expect(died).toBeLessThan(MAX_STEPS);
      expect(locked).toBeGreaterThan(0);
    },
  );
});
