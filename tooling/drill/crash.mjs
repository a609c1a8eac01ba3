// Kills the server at every step of a push that leaves a trace on disk, and looks at what is left:
//   pnpm drill:crash [--only TITLE] [--call NAME] [--errors] [--reftable] [--jobs N]
// strace kills it at the k-th such system call, for every k until the push succeeds; with --errors the call fails instead,
// for want of space or by a broken disk. After each, the server is started anew, asked once, and all has to be well.
// With --reftable refs are in reftables, for which git has to be 2.46 or newer.
// Linux only. It needs strace, and the right to trace another process of this user.
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { stockGit } from "../bench/git.mjs";
import { checkObjects, checkReflogs, checkRefs, checkWhole, leftovers, refsOf } from "./invariants.mjs";
import { pushUnder, readReport } from "./pusher.mjs";
import { makeScenes, requestOf, stage } from "./scene.mjs";

/** System calls of which each leaves a trace on disk. */
const CALLS = ["openat", "link", "rename", "fsync", "unlink", "rmdir", "mkdir"];
/**
 * How each fails when a disk is full or broken. Not `write`: threads wake each other by it, and Node gives up when that
 * fails; see `drill:full`.
 */
const FAULTS = {
  openat: "ENOSPC",
  link: "ENOSPC",
  rename: "ENOSPC",
  fsync: "EIO",
  mkdir: "ENOSPC",
  pwrite64: "ENOSPC",
  close: "EIO",
};
/** Until then what is pushed again and cloned has to be there: longer only on a lock that nobody breaks. Unit: milliseconds. */
const MAX_AGAIN_MS = 30_000;
/** More than any push makes of one call. */
const MAX_CELLS = 400;

const { values: options } = parseArgs({
  args: process.argv.slice(2).filter((argument) => argument !== "--"),
  options: {
    only: { type: "string", multiple: true },
    call: { type: "string", multiple: true },
    errors: { type: "boolean", default: false },
    reftable: { type: "boolean", default: false },
    jobs: { type: "string", default: String(Math.max(1, cpus().length)) },
    server: {
      type: "string",
      default: fileURLToPath(new URL("../../packages/cli/dist/bin.js", import.meta.url)),
    },
    keep: { type: "boolean", default: false },
  },
});
const bin = options.server;
if (!existsSync(bin)) throw new Error(`${bin} is not built`);
execFileSync("strace", ["-V"], { stdio: "ignore" });
const work = mkdtempSync(join(tmpdir(), "x-drill-"));
const git = stockGit(work);
const ours = {
  receive: `${process.execPath} ${bin} receive-pack`,
  upload: `${process.execPath} ${bin} upload-pack`,
};

/** Calls that make or write a file below the repository, for each thread its number among calls of its kind. */
async function findNumbers(scene, call, directory) {
  const log = join(work, `${call}.log`);
  stage(scene, directory);
  const { told } = await pushUnder({
    bin,
    directory,
    request: requestOf(scene),
    env: git.env,
    strace: ["-y", "-o", log, "-e", `trace=${call}`],
  });
  if (!readReport(told).unpacked && scene.pack) throw new Error(`${scene.title} fails untouched: ${told}`);
  const counts = new Map();
  const numbers = new Set();
  for (const line of readFileSync(log, "latin1").split("\n")) {
    const [, thread, rest] = /^(\d+) +(.*)$/.exec(line) ?? [];
    if (!rest?.startsWith(`${call}(`)) continue;
    const number = (counts.get(thread) ?? 0) + 1;
    counts.set(thread, number);
    if (call === "openat" && !rest.includes("O_CREAT")) continue;
    if ((call === "pwrite64" || call === "close") && !rest.includes(`<${directory}/`)) continue;
    numbers.add(number);
  }
  return [...numbers].sort((a, b) => a - b);
}

/** Every place of a push: scene, call, and which one of that call. */
async function* places(scenes) {
  const calls = options.call ?? (options.errors ? Object.keys(FAULTS) : CALLS);
  for (const scene of scenes)
    for (const call of calls)
      for (const when of (await findNumbers(scene, call, join(work, "probe.git"))).slice(0, MAX_CELLS))
        yield { scene, call, when };
}

async function runCell({ scene, call, when }, directory) {
  stage(scene, directory);
  const before = refsOf(git, directory);
  const fault = options.errors ? `error=${FAULTS[call]}` : "signal=KILL";
  const { told, signal, said } = await pushUnder({
    bin,
    directory,
    request: requestOf(scene),
    env: git.env,
    strace: ["-o", "/dev/null", "-e", `trace=${call}`, "-e", `inject=${call}:${fault}:when=${when}`],
  });
  const report = readReport(told);
  const problems = [...checkRefs(scene, before, refsOf(git, directory), report)];
  if (options.errors && signal !== null) problems.push(`the server died: ${signal} ${said}`);
  if (options.errors) problems.push(...leftovers(directory).map((path) => `left: ${path}`));
  const early = refsOf(git, directory);
  const made = scene.changes.filter(({ name, next }) => early.get(name) === next).length;
  problems.push(...(await checkRecovered(scene, before, report, directory)));
  return { problems, made, killed: signal !== null, told: report.done.size };
}

/** A new start, one request, and then pushes and clones as if nothing had been. */
async function checkRecovered(scene, before, report, directory) {
  const url = `file://${directory}`;
  const problems = [];
  try {
    await git.start("ls-remote", "-q", `--upload-pack=${ours.upload}`, url);
    const refs = refsOf(git, directory);
    problems.push(
      ...leftovers(directory).map((path) => `left after a start: ${path}`),
      ...checkRefs(scene, before, refs, report),
      ...checkWhole(scene, refs),
      ...checkObjects(git, directory),
      ...checkReflogs(scene, directory),
    );
    const started = performance.now();
    const specs = scene.changes.map(({ name, next }) => `${next ?? ""}:${name}`);
    await git.start("-C", scene.source, "push", "-q", "-f", `--receive-pack=${ours.receive}`, url, ...specs);
    const clone = `${directory}.clone`;
    rmSync(clone, { recursive: true, force: true });
    await git.start("clone", "-q", "--bare", `--upload-pack=${ours.upload}`, url, clone);
    if (performance.now() - started > MAX_AGAIN_MS) problems.push("a push and a clone took too long");
    const after = refsOf(git, directory);
    for (const { name, next } of scene.changes)
      if (after.get(name) !== next) problems.push(`${name} is not as pushed again`);
    problems.push(
      ...checkObjects(git, clone),
      ...leftovers(directory).map((path) => `left in the end: ${path}`),
    );
  } catch (error) {
    problems.push(error.message);
  }
  return problems;
}

const rows = new Map();
const failures = [];
const started = performance.now();
try {
  const scenes = makeScenes(git, work, options).filter(({ title }) => options.only?.includes(title) ?? true);
  const cells = places(scenes);
  const lane = async (_, lane) => {
    for (;;) {
      const { value: cell, done } = await cells.next();
      if (done) return;
      const { problems, made, killed, told } = await runCell(cell, join(work, `lane-${lane}`, "repo.git"));
      const key = `${cell.scene.title}\t${cell.call}`;
      const row = rows.get(key) ?? { cells: 0, killed: 0, old: 0, part: 0, new: 0, told: 0, failed: 0 };
      rows.set(key, row);
      row.cells++;
      row.killed += killed ? 1 : 0;
      row[made === 0 ? "old" : made === cell.scene.changes.length ? "new" : "part"]++;
      row.told += told > 0 ? 1 : 0;
      if (problems.length === 0) continue;
      row.failed++;
      failures.push(`${cell.scene.title}, ${cell.call} ${cell.when}:\n  ${problems.join("\n  ")}`);
    }
  };
  await Promise.all(Array.from({ length: Number(options.jobs) }, lane));
} finally {
  if (options.keep) console.error(`kept: ${work}`);
  else rmSync(work, { recursive: true, force: true });
}
const what = options.errors ? "failed" : "died";
console.log(`${"push".padEnd(38)}${"at".padEnd(8)}cells  ${what}  refs: old  part  new  told ok  failed`);
for (const [key, row] of rows) {
  const [title, call] = key.split("\t");
  const cell = (value, width) => String(value).padStart(width);
  console.log(
    `${title.padEnd(38)}${call.padEnd(8)}${cell(row.cells, 5)}${cell(row.killed, what.length + 2)}${cell(row.old, 11)}${cell(row.part, 6)}${cell(row.new, 5)}${cell(row.told, 9)}${cell(row.failed, 8)}`,
  );
}
for (const failure of failures) console.log(failure);
const total = [...rows.values()].reduce((sum, { cells }) => sum + cells, 0);
console.log(
  `${total - failures.length} passed, ${failures.length} failed in ${Math.round((performance.now() - started) / 1000)} s`,
);
process.exitCode = failures.length === 0 && total > 0 ? 0 : 1;
