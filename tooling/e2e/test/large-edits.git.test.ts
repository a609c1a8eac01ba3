import { closeSync, openSync, readFileSync, writeFileSync, writeSync } from "node:fs";
import { git, temporaryDirectory } from "@tooling/test-kit";
import type { ObjectFormat } from "@x/objects";
import { expect, it } from "vitest";
import { expectSound, leftoversIn, refsOf } from "./compare.ts";
import type { PUSHES } from "./raw-push.ts";
import { startServer } from "./server.ts";

const MIB = 1024 * 1024;
const SIZE = 200 * MIB;
const ROW = 64;

/** Lines that are all different and shrink well. */
function writeLines(path: string): void {
  const file = openSync(path, "w");
  const piece = Buffer.alloc(MIB, " ");
  for (let at = 0; at < SIZE; at += MIB) {
    for (let row = 0; row < MIB; row += ROW) piece.write(`line ${at + row} of many\n`, row, "latin1");
    writeSync(file, piece);
  }
  closeSync(file);
}

function edit(path: string, word: string): void {
  const file = openSync(path, "r+");
  for (const share of [0.1, 0.5, 0.9]) writeSync(file, word, Math.floor(SIZE * share));
  closeSync(file);
}

/** Memory that a process has, and the most it had since it was asked the last time. Unit: MiB. */
function memoryOf(pid: number): { readonly now: number; readonly most: number } {
  const status = readFileSync(`/proc/${pid}/status`, "latin1");
  const kib = (key: string) => Number(new RegExp(`^${key}:\\s+(\\d+) kB$`, "m").exec(status)?.[1]);
  writeFileSync(`/proc/${pid}/clear_refs`, "5");
  return { now: kib("VmRSS") / 1024, most: kib("VmHWM") / 1024 };
}

it.each<[ObjectFormat, (typeof PUSHES)[number]]>([
  ["sha1", "http"],
  ["sha256", "git"],
])(
  "an edit of a file of 200 MiB, of %s, can be pushed over %s as the delta that git makes of it",
  async (format, transport) => {
    const root = temporaryDirectory("root");
    const repository = `${root}/repo.git`;
    await git(["init", "-q", "--bare", `--object-format=${format}`, repository]);
    await git(["config", "http.receivepack", "true"], { cwd: repository });
    const server = await startServer(root);
    const work = temporaryDirectory("work");
    const run = (...args: string[]) =>
      git(["-c", "core.compression=1", "-c", "gc.auto=0", ...args], { cwd: work });
    await run("init", "-q", `--object-format=${format}`);
    await run("remote", "add", "origin", `${server[transport]}/repo.git`);
    writeLines(`${work}/large`);
    await run("add", "large");
    await run("commit", "-q", "-m", "one");
    await run("push", "-q", "origin", "HEAD:refs/heads/main");
    // The first builds on a blob that lies whole, the second on what the first left as a delta.
    for (const word of ["edited", "edited again"]) {
      edit(`${work}/large`, word);
      await run("commit", "-q", "-a", "-m", word);
      const { now } = memoryOf(server.pid);
      await run("push", "-q", "origin", "HEAD:refs/heads/main");
      expect(memoryOf(server.pid).most - now).toBeLessThan(128);
      expect(leftoversIn(root)).toEqual([]);
    }
    const tip = (await run("rev-parse", "HEAD")).trim();
    expect((await refsOf(repository)).join("\n")).toContain(`refs/heads/main ${tip}`);
    await expectSound(repository);
    // It did come as a delta.
    const listed = await git(
      ["cat-file", "--batch-all-objects", "--batch-check=%(deltabase) %(objectsize)"],
      {
        cwd: repository,
      },
    );
    const deltas = listed.split("\n").filter((line) => line.endsWith(` ${SIZE}`) && !/^0+ /.test(line));
    expect(deltas.length).toBeGreaterThanOrEqual(1);
  },
  180_000,
);
