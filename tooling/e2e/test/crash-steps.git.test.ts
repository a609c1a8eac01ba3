import { rmSync } from "node:fs";
import { git, temporaryDirectory, tryGit } from "@tooling/test-kit";
import { beforeAll, describe, expect, it } from "vitest";
import { expectSound, leftoversIn } from "./compare.ts";
import { fatalStepArguments } from "./fatal-step.ts";
import { copyRepository, grow } from "./fixtures.ts";
import { BIN } from "./server.ts";
import { FORMATS, XGIT } from "./way.ts";

/** Steps that leave a trace on disk. `pnpm drill:crash` takes them all, of more kinds of pushes. */
const STEPS = { sha1: ["link", "rename", "unlink"], sha256: ["rename"] } as const;
/** More than any push takes. */
const MAX_STEPS = 60;

describe.each(FORMATS)("a push that dies at any step, %s", (format) => {
  const root = temporaryDirectory("root");
  const [template, work, there] = [`${root}/template.git`, `${root}/work.git`, `${root}/repo.git`];
  const url = `file://${there}`;
  const arguments_ = fatalStepArguments();
  let base: string;
  let tip: string;

  beforeAll(async () => {
    await git(["init", "-q", "--bare", `--object-format=${format}`, template]);
    base = await grow(template, "main", 2);
    await git(["update-ref", "refs/heads/gone", base], { cwd: template });
    await git(["pack-refs", "--all"], { cwd: template });
    await git(["clone", "-q", "--mirror", template, work]);
    tip = await grow(work, "main", 2);
  });

  const push = (program: string, what: readonly string[], env: Readonly<Record<string, string>> = {}) =>
    tryGit(["push", "--atomic", `--receive-pack=${program} receive-pack`, url, ...what], { cwd: work, env });
  const refs = async () =>
    (await git(["for-each-ref", "--format=%(refname:short) %(objectname)"], { cwd: there })).split("\n");

  it.each(STEPS[format])("%s: all refs or none, and nothing is in the way of the next one", async (step) => {
    const program = [process.execPath, ...arguments_, BIN].map((word) => `'${word}'`).join(" ");
    const before = [`gone ${base}`, `main ${base}`];
    const after = [`deep/made ${tip}`, `main ${tip}`];
    let died = 0;
    for (let number = 1; number <= MAX_STEPS; number++) {
      rmSync(there, { recursive: true, force: true });
      copyRepository(template, there);
      const first = await push(program, ["main", "main:deep/made", ":gone"], {
        FATAL_STEP: `${step}:${number}`,
      });
      if (first.status === 0) {
        expect(await refs()).toEqual(after);
        break;
      }
      died++;
      await git(["ls-remote", `--upload-pack=${XGIT} upload-pack`, url]);
      expect(leftoversIn(there).filter((path) => !path.endsWith(".keep"))).toEqual([]);
      const found = await refs();
      expect([before, after]).toContainEqual(found);
      const isMade = found.length === after.length && found[0] === after[0];
      const second = await push(XGIT, ["main", "main:deep/made", ...(isMade ? [] : [":gone"])]);
      expect(second.status, second.stderr).toBe(0);
      expect(await refs()).toEqual(after);
      await expectSound(there);
    }
    expect(died).toBeGreaterThan(2);
    expect(died).toBeLessThan(MAX_STEPS);
  });
});
