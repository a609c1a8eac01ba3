import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createTestRepository, git, temporaryDirectory, tryGit } from "@tooling/test-kit";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import { expectSound, leftoversIn, refsOf } from "./compare.ts";
import { startServer } from "./server.ts";

const MIB = 1024 * 1024;
const root = temporaryDirectory("hooks");
const work = await createTestRepository();
await work.commit("first", { a: "one\n" });
const base = await work.git("rev-parse", "HEAD");
await work.commit("second", { a: "two\n" });
const tip = await work.git("rev-parse", "HEAD");
const repository = `${root}/r.git`;
await git(["clone", "-q", "--bare", work.directory, repository]);
await git(["update-ref", "refs/heads/main", base], { cwd: repository });
await git(["repack", "-adq"], { cwd: repository });
await git(["prune", "--expire=now"], { cwd: repository });
await git(["config", "http.receivepack", "true"], { cwd: repository });
const server = await startServer(
  root,
  "--set",
  "hook.limits.timeoutMs=1500",
  "--set",
  "hook.limits.killGraceMs=300",
);
const refs = await refsOf(repository);
/** Where hooks leave the ids of their processes. */
const pids = `${temporaryDirectory("pids")}/pids`;

function hook(name: string, script: string): void {
  writeFileSync(`${repository}/hooks/${name}`, `#!/bin/sh\n${script.replaceAll("PIDS", pids)}\n`);
  chmodSync(`${repository}/hooks/${name}`, 0o755);
}

/** Those of the processes that still run. */
function alive(): string[] {
  if (!existsSync(pids)) return [];
  return readFileSync(pids, "latin1")
    .split("\n")
    .filter((pid) => {
      // What nobody has waited for yet does not run any more.
      const file = `/proc/${pid}/stat`;
      return pid !== "" && existsSync(file) && !/\) Z /.test(readFileSync(file, "latin1"));
    });
}

let resting = 0;
let most = 0;
let watch: NodeJS.Timeout;
beforeEach(() => {
  resting = server.residentBytes();
  most = resting;
  watch = setInterval(() => {
    most = Math.max(most, server.residentBytes());
  }, 20);
});
afterEach(async () => {
  clearInterval(watch);
  for (const name of ["pre-receive", "update", "post-receive", "reference-transaction"])
    rmSync(`${repository}/hooks/${name}`, { force: true });
  writeFileSync(pids, "");
  expect(server.alive()).toBe(true);
  await expect.poll(() => leftoversIn(root), { timeout: 10_000 }).toEqual([]);
  expect((most - resting) / MIB).toBeLessThan(128);
  expect((await tryGit(["ls-remote", `${server.git}/r.git`], { timeoutMs: 5000 })).status).toBe(0);
});
afterAll(() => expectSound(repository));

const push = (transport: "git" | "http") =>
  tryGit(["push", `${server[transport]}/r.git`, `${tip}:refs/heads/main`], {
    cwd: work.directory,
    timeoutMs: 20_000,
  });

const LATE = "sleep 60 & echo $! >>PIDS; echo $$ >>PIDS";
/** What it does; the script; what the user is told beside the refusal; whether it runs into its time. */
const REFUSING: [string, string, RegExp][] = [
  ["hangs", "echo $$ >>PIDS; exec sleep 60", /pre-receive hook declined/],
  ["hangs, and so do its children, who hold its output", `${LATE}; wait`, /pre-receive hook declined/],
  [
    "takes no notice of SIGTERM",
    "trap '' TERM; echo $$ >>PIDS; while :; do sleep 0.1; done",
    /pre-receive hook declined/,
  ],
  ["reads nothing and says nothing", "exec <&-; exit 3", /pre-receive hook declined/],
  ["writes one line of 50 MB", "head -c 50000000 /dev/zero | tr '\\0' x; exit 1", /remote: x{1000}/],
  ["writes lines for ever", "yes no", /remote: no/],
  ["writes to standard error for ever", "yes no >&2", /remote: no/],
  [
    "writes what terminals take for orders",
    "printf '\\033[2J\\033]0;owned\\007\\r\\b\\0plain\\n'; exit 1",
    /remote: .*plain/,
  ],
  ["ends itself by a signal", "kill -SEGV $$", /pre-receive hook declined/],
  ["kills its process group", "kill -9 0", /pre-receive hook declined/],
  [
    "changes refs in its quarantine",
    `git update-ref refs/heads/main ${tip} || echo not allowed; exit 1`,
    /remote: not allowed/,
  ],
  ["throws its quarantine away", 'rm -rf "$GIT_QUARANTINE_PATH"; exit 1', /pre-receive hook declined/],
];

describe.each(["git", "http"] as const)("a pre-receive hook, over %s, that", (transport) => {
  it.each(REFUSING)(
    "%s",
    async (_, script, told) => {
      hook("pre-receive", script);
      const started = performance.now();
      const { status, stderr } = await push(transport);
      expect(stderr).toMatch(told);
      expect(status).toBe(1);
      expect(performance.now() - started).toBeLessThan(15_000);
      // Git writes `remote: ` before each line, and blanks behind it.
      expect(stderr.length).toBeLessThan(32 * MIB);
      expect(await refsOf(repository)).toEqual(refs);
      await expect.poll(alive, { timeout: 5000 }).toEqual([]);
    },
    30_000,
  );

  it("throws its quarantine away and is content", async () => {
    hook("pre-receive", 'rm -rf "$GIT_QUARANTINE_PATH"/*');
    const { status } = await push(transport);
    expect(status).not.toBe(0);
    expect(await refsOf(repository)).toEqual(refs);
  }, 30_000);
});

describe.each(["git", "http"] as const)("a push over %s", (transport) => {
  afterEach(() => git(["update-ref", "refs/heads/main", base], { cwd: repository }));

  it("is done though its post-receive hook hangs, with children that hold its output", async () => {
    hook("post-receive", `${LATE}; wait`);
    const started = performance.now();
    const { status } = await push(transport);
    expect(status).toBe(0);
    expect(await git(["rev-parse", "main"], { cwd: repository })).toBe(tip);
    expect(performance.now() - started).toBeLessThan(10_000);
    await expect.poll(alive, { timeout: 10_000 }).toEqual([]);
  }, 30_000);

  it("is done when its hook leaves a child behind on purpose", async () => {
    hook("pre-receive", "sleep 60 >/dev/null 2>&1 & echo $! >>PIDS; exit 0");
    const { status } = await push(transport);
    expect(status).toBe(0);
    for (const pid of alive()) process.kill(Number(pid));
  }, 30_000);

  it("kills no server by its parent's id", async () => {
    hook("pre-receive", "kill -0 $PPID && echo seen $PPID; exit 0");
    const { stderr, status } = await push(transport);
    expect(status).toBe(0);
    expect(stderr).toContain(`seen ${server.pid}`);
  }, 30_000);

  it("is refused by an update hook and by a reference-transaction hook that hang", async () => {
    for (const name of ["update", "reference-transaction"]) {
      hook(name, `${LATE}; wait`);
      const { status, stderr } = await push(transport);
      expect(status, name).not.toBe(0);
      expect(stderr).toMatch(/remote rejected/);
      await expect.poll(alive, { timeout: 10_000 }).toEqual([]);
      hook(name, "exit 0");
    }
    expect(await refsOf(repository)).toEqual(refs);
  }, 40_000);
});
