// Watches what a push waits for: before a client reads "unpack ok", all of it has to have reached the disk.
//   pnpm drill:order [--reftable]
// Over stdio and over `xgit serve`; then over stdio what is left of it with durability `git`, and that with `none` all of
// it is missed: or the watch is worth nothing. With --reftable refs are in reftables, for which git has to be 2.46 or
// newer. Linux only. It needs strace, and the right to trace another process of this user.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { stockGit } from "../bench/git.mjs";
import { startOurs } from "../bench/servers.mjs";
import { attach, pushUnder } from "./pusher.mjs";
import { makeScenes, requestOf, stage } from "./scene.mjs";

const { values: options } = parseArgs({
  args: process.argv.slice(2).filter((argument) => argument !== "--"),
  options: {
    reftable: { type: "boolean", default: false },
    server: {
      type: "string",
      default: fileURLToPath(new URL("../../packages/cli/dist/bin.js", import.meta.url)),
    },
  },
});
const bin = options.server;
if (!existsSync(bin)) throw new Error(`${bin} is not built`);
const work = mkdtempSync(join(tmpdir(), "x-order-"));
const git = stockGit(work);
const UNSYNCED = "was not synced before the report";
const CALLS = "fsync,fdatasync,write,writev,sendto,sendmsg,rename,unlink,link";
const STRACE = ["-y", "-s", "4096", "-e", `trace=${CALLS}`];

/** The calls in the order in which they ended, as far as they went well. */
function readCalls(log) {
  const begun = new Map();
  const calls = [];
  for (const line of readFileSync(log, "latin1").split("\n")) {
    const [, thread, rest] = /^(\d+) +(.*)$/.exec(line) ?? [];
    if (rest === undefined) continue;
    const unfinished = /^(\w+\(.*) <unfinished \.\.\.>$/.exec(rest);
    if (unfinished) {
      begun.set(thread, unfinished[1]);
      // Once it has begun, the peer may read it.
      if (/^(?:write|writev|send\w+)\(/.test(rest)) calls.push(unfinished[1]);
      continue;
    }
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(rest);
    const whole = resumed ? `${begun.get(thread)}${resumed[1]}` : rest;
    if (!/\) += -1 /.test(whole)) calls.push(whole);
  }
  return calls;
}

/** What has to be synced before the report, for `scene`. With durability `git` that is packs and their indexes alone. */
function required(scene, directory, durability) {
  const path = (name) => `${directory}/${name}`;
  const list = [];
  if (scene.pack && !scene.loose)
    list.push(
      [/fsync\(\d+<.*\/(?:tmp_pack_incoming|tmp_pack-[\w.-]+|pack-\w+\.pack)>/, "the pack"],
      [/fsync\(\d+<.*\/(?:tmp_idx-[\w.-]+|pack-\w+\.idx)>/, "its index"],
      [/fsync\(\d+<.*\/(?:tmp_rev-[\w.-]+|pack-\w+\.rev)>/, "its reverse index"],
    );
  if (durability === "git") return list;
  if (scene.loose)
    list.push(
      [/fsync\(\d+<.*\/tmp_obj_[\w-]+>/, "the objects"],
      [/fsync\(\d+<[^>]*\.git\/objects\/[0-9a-f]{2}>/, "their directories"],
    );
  if (scene.pack && !scene.loose) list.push([`<${path("objects/pack")}>`, "objects/pack"]);
  if (scene.shallow.length > 0)
    list.push(["shallow.lock>", "the shallow commits"], [`<${directory}>`, "their name"]);
  if (options.reftable) {
    list.push([".ref.temp.", "the new table"], ["tables.list.lock>", "the list of tables"]);
    list.push([`<${path("reftable")}>`, "their names"]);
    return list;
  }
  for (const { name, next } of scene.changes) {
    const parent = path(name.slice(0, name.lastIndexOf("/")));
    if (next !== undefined) {
      const encoded = name.replaceAll("/", "%2f");
      list.push([`.hold.${encoded}>`, `the new value of ${name}`]);
    }
    // A directory that went with its last ref is its parent's matter.
    list.push([[`<${parent}>`, `<${parent.slice(0, parent.lastIndexOf("/"))}>`], `the directory of ${name}`]);
    if (name === "refs/heads/new/made")
      list.push([`<${path("refs/heads")}>`, "the parent of a new directory"]);
  }
  if (scene.atomic) list.push([".intent>", "the intent"], [`<${path("xgit-journal")}>`, "its name"]);
  if (scene.changes.some(({ next }) => next === undefined))
    list.push(["packed-refs.new>", "packed-refs"], [`<${directory}>`, "its name"]);
  return list;
}

function* check(scene, directory, calls, durability = "full") {
  const report = calls.findIndex(
    (call) => /^(?:write|writev|send\w+)\(/.test(call) && call.includes("unpack ok"),
  );
  if (report < 0) return yield "no report was seen";
  const synced = calls.slice(0, report).filter((call) => /^f(?:data)?sync\(/.test(call));
  const matches = (call, what) =>
    what instanceof RegExp ? what.test(call) : [what].flat().some((part) => call.includes(part));
  for (const [what, name] of required(scene, directory, durability))
    if (!synced.some((call) => matches(call, what))) yield `${name} ${UNSYNCED}`;
  if (durability !== "full") return;
  const hasPack = scene.pack && !scene.loose;
  const firstRename = calls.findIndex((call) => /^rename\(.*(?<!shallow)\.lock"/.test(call));
  const lastLink = calls.findLastIndex((call) => /^link\(.*\.idx", "/.test(call));
  const syncedPacks = calls.findLastIndex(
    (call) => call.startsWith("fsync(") && call.includes(`<${directory}/objects/pack>`),
  );
  if (hasPack && syncedPacks < lastLink) yield "objects/pack was synced before all was there";
  const at = (part) => calls.findIndex((call) => call.startsWith("fsync(") && call.includes(part));
  const objects = scene.loose ? ".git/objects>" : `<${directory}/objects/pack>`;
  if (firstRename >= 0 && scene.pack && at(objects) > firstRename)
    yield "a ref was changed before its objects were safe";
  if (firstRename >= 0 && options.reftable && at(".ref.temp.") > firstRename)
    yield "a list named a table that was not safe";
  if (firstRename >= 0 && scene.atomic && at(".intent>") > firstRename)
    yield "a ref was changed before the intent was safe";
}

async function callsOverStdio(scene, durability) {
  const directory = join(work, "stdio.git");
  const log = join(work, "stdio.log");
  stage(scene, directory);
  await pushUnder({
    bin,
    directory,
    request: requestOf(scene),
    env: { ...git.env, XGIT_DURABILITY: durability },
    strace: [...STRACE, "-o", log],
  });
  return { directory, calls: readCalls(log) };
}

async function overStdio(scene, durability = "full") {
  const { directory, calls } = await callsOverStdio(scene, durability);
  return [...check(scene, directory, calls, durability)];
}

/** Where nothing is waited for, the watch has to miss every single thing. */
async function watchItself(scene) {
  const { directory, calls } = await callsOverStdio(scene, "none");
  const missed = [...check(scene, directory, calls)].filter((problem) => problem.endsWith(UNSYNCED));
  const all = required(scene, directory, "full").length;
  return missed.length === all
    ? []
    : [`the watch misses ${missed.length} of ${all} things that are not synced`];
}

async function overServe(scene) {
  const root = join(work, "root");
  const directory = join(root, "repo.git");
  const log = join(work, "serve.log");
  mkdirSync(root, { recursive: true });
  stage(scene, directory);
  const server = await startOurs(bin, root, git.env);
  try {
    const tracer = await attach(server.pid, [...STRACE, "-o", log], git.env);
    await new Promise((resolve, reject) => {
      const socket = connect(server.port, "127.0.0.1");
      let told = "";
      const line = "git-receive-pack /repo.git\0host=x\0";
      socket.write(`${(line.length + 4).toString(16).padStart(4, "0")}${line}`);
      socket.on("error", reject);
      socket.on("data", (chunk) => {
        const announced = told.endsWith("0000");
        told += chunk.toString("latin1");
        if (!announced && told.endsWith("0000")) socket.write(requestOf(scene));
      });
      socket.on("close", resolve);
    });
    await server.stop();
    await tracer.ended;
  } finally {
    await server.stop().catch(() => {});
  }
  return [...check(scene, directory, readCalls(log))];
}

let failed = 0;
let passed = 0;
try {
  for (const scene of makeScenes(git, work, options))
    for (const [way, run, isNeeded = true] of [
      ["stdio", overStdio],
      ["serve", (scene) => overServe(scene)],
      ["stdio, durability git", (scene) => overStdio(scene, "git"), scene.pack !== undefined],
      ["stdio, durability none", watchItself],
    ]) {
      if (!isNeeded) continue;
      const problems = await run(scene);
      console.log(`${problems.length === 0 ? "ok    " : "FAILED"} ${way}: ${scene.title}`);
      for (const problem of problems) console.log(`       ${problem}`);
      if (problems.length === 0) passed++;
      else failed++;
    }
} finally {
  rmSync(work, { recursive: true, force: true });
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
