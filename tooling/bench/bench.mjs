// Our server beside C git's on the same repositories, in one run:
//   pnpm bench [REPOSITORY] [--only fetch|latency|push|pushes|smallpushes|small|fetches|refs|ways|idle|stalled|archive] [--pairs N] [--objects N] [--bitmaps] [--json FILE] [--check]
// With --bitmaps, both find the reachability bitmaps there that `git repack -b` writes; otherwise there are none.
// Without REPOSITORY one is made up (and kept below the system's temporary directory). Linux only: it reads /proc.
// Nothing here is a claim about another machine; only the ratios of one run mean something.
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { archives } from "./archives.mjs";
import { stockGit } from "./git.mjs";
import { idleConnections, stalledReaders } from "./many-clients.mjs";
import { firstAndEach, fullFetch, fullFetchesInTurn, latencyWhileFetching, push } from "./measure.mjs";
import { listRefsOnce } from "./raw-client.mjs";
import { rawPush } from "./raw-push.mjs";
import { addRefs, benchCopy, generated } from "./repository.mjs";
import { listings, nothingNew, smallFetches } from "./requests.mjs";
import { startGit, startGitHttp, startOurDaemon, startOurs } from "./servers.mjs";
import { commitLine } from "./small-pushes.mjs";
import { median, Results } from "./statistics.mjs";

const PUSHED_OBJECTS = 20_000;
const SMALL_PUSHES = 20;
/** Into a repository of their own, before a server's time for small pushes is taken: a server runs for weeks. */
const WARM_PUSHES = 200;
const MANY_REFS = 100_000;
/** Of one way, before the other has its turn: so long, if that is not too many fetches. */
const TURN_S = 0.5;
const MAX_FETCHES_IN_TURN = 20;
const NAMES = [
  "fetch",
  "latency",
  "push",
  "pushes",
  "smallpushes",
  "small",
  "fetches",
  "refs",
  "ways",
  "idle",
  "stalled",
  "archive",
];
/** What is promised, and with --check required. */
const PROMISES = new Map([
  ["full fetch: server CPU, s", { ratio: 2 }],
  ["full fetch: server peak memory, MiB", { most: 300 }],
  ["full fetch over http://: times the server CPU of git://", { most: 1.1 }],
  ["full fetch over http://: times the wall time of git://", { most: 1.1 }],
  ["ls-remote while a fetch is prepared: max, ms", { most: 50 }],
  ["push of 20k objects: wall, s", { ratio: 3 }],
  ["first push: server CPU, s", { ratio: 1.3 }],
  ["first push: wall, s", { ratio: 1 }],
  ["first push: server peak memory, MiB", { most: 512 }],
  ["push of one commit, client's time apart: ms", { ratio: 0.5 }],
  ...["fetch of nothing new", "ls-remote"].map((name) => [`${name}: server CPU, ms`, { ratio: 1 }]),
  ...[
    "fetch that brings nothing",
    "fetch of 10 commits",
    "fetch --depth 1",
    "fetch --filter=blob:none",
  ].flatMap(everyWay),
  ...["ls-refs of all", "ls-refs of branches and tags"].flatMap(everyWay),
]);

for (const way of ["git://", "http://"]) {
  PROMISES.set(`500 idle connections over ${way}: MiB`, { most: 50 });
  PROMISES.set(`100 stalled readers over ${way}: MiB`, { most: 300 });
  PROMISES.set(`100 stalled readers over ${way}: times as long for another clone`, { most: 1.2 });
}

function everyWay(name) {
  return ["git://", "http://"].map((way) => [`${name} over ${way}: server CPU, ms`, { ratio: 1 }]);
}

const { values: options, positionals } = parseArgs({
  // pnpm hands the "--" of `pnpm bench -- ...` through.
  args: process.argv.slice(2).filter((argument) => argument !== "--"),
  allowPositionals: true,
  options: {
    only: { type: "string", multiple: true },
    pairs: { type: "string", default: "3" },
    objects: { type: "string", default: "120000" },
    server: {
      type: "string",
      default: fileURLToPath(new URL("../../packages/cli/dist/bin.js", import.meta.url)),
    },
    side: { type: "string", default: "both" },
    json: { type: "string" },
    bitmaps: { type: "boolean", default: false },
    check: { type: "boolean", default: false },
    keep: { type: "boolean", default: false },
  },
});
const wanted = new Set(options.only ?? NAMES);
for (const name of wanted) if (!NAMES.includes(name)) throw new Error(`--only takes ${NAMES.join(", ")}`);
const sides = options.side === "both" ? ["git", "xgit"] : [options.side];
if (sides.includes("xgit") && !existsSync(options.server)) throw new Error(`${options.server} is not built`);

const note = (text) => process.stderr.write(`${text}\n`);
const work = mkdtempSync(join(tmpdir(), "x-bench-"));
const git = stockGit(work);
const results = new Results();

/** A new server of one side, for as long as `measure` takes. */
async function using(side, measure, way = "git://") {
  const startStock = way === "git://" ? startGit : startGitHttp;
  const server =
    side === "git" ? await startStock(git, work) : await startOurs(options.server, work, git.env);
  try {
    return await measure(server);
  } finally {
    await server.stop();
  }
}

/** One side after the other, as often as asked for: what else the machine does then meets both. */
async function alternate(title, measure, way = "git://") {
  for (let pair = 1; pair <= Number(options.pairs); pair++)
    for (const side of sides) {
      note(`${title}: ${side}, ${pair} of ${options.pairs}`);
      const add = (measured, value) => results.add(side, measured, value);
      await using(side, (server) => measure(server, add, side, pair), way);
    }
}

/** Stock git clones from each side, and finds nothing wrong with what it got. */
async function verify(copy) {
  for (const side of sides) {
    note(`checking a stock clone: ${side}`);
    await using(side, async ({ port }) => {
      const clone = join(work, `clone-${side}.git`);
      await git.start("clone", "-q", "--mirror", `git://127.0.0.1:${port}/bench.git`, clone);
      await git.start("-C", clone, "fsck", "--connectivity-only");
      if (git.run("-C", clone, "for-each-ref") !== git.run("-C", copy.directory, "for-each-ref"))
        throw new Error(`${side}: the clone's refs are not the repository's`);
      rmSync(clone, { recursive: true });
    });
  }
}

async function fetches(copy) {
  await alternate("full fetch", async (server, add) => {
    for (const when of ["full fetch", "again, same server"]) {
      const { cpu, wall, prepared, rss, bytes } = await fullFetch(server, "bench.git", copy.objects);
      add(`${when}: server CPU, s`, cpu);
      add(`${when}: wall, s`, wall);
      add(`${when}: until the first byte of the pack, s`, prepared);
      add(`${when}: server peak memory, MiB`, rss);
      add(`${when}: pack sent, MiB`, bytes);
    }
  });
}

/** The same fetches over both transports of one server, in turns; the first ones warm it up. */
async function ways(copy) {
  if (!sides.includes("xgit")) return;
  await using("xgit", async (server) => {
    let count = MAX_FETCHES_IN_TURN;
    for (let pair = 0; pair <= Number(options.pairs); pair++) {
      note(`full fetch over http:// and git://: ${pair} of ${options.pairs}, ${count} each`);
      const cost = {};
      for (const way of pair % 2 === 0 ? ["git://", "http://"] : ["http://", "git://"]) {
        cost[way] = await fullFetchesInTurn(server, "bench.git", way, count);
        if (cost[way].objects !== copy.objects) throw new Error(`a fetch gave ${cost[way].objects} objects`);
      }
      if (pair === 0) {
        count = Math.min(MAX_FETCHES_IN_TURN, Math.max(2, Math.ceil(TURN_S / cost["git://"].wall)));
        continue;
      }
      for (const way of ["git://", "http://"]) {
        results.add("xgit", `full fetch, warm, over ${way}: server CPU, ms`, cost[way].cpu * 1000);
        results.add("xgit", `full fetch, warm, over ${way}: wall, ms`, cost[way].wall * 1000);
      }
      const { "git://": native, "http://": http } = cost;
      results.add("xgit", "full fetch over http://: times the server CPU of git://", http.cpu / native.cpu);
      results.add("xgit", "full fetch over http://: times the wall time of git://", http.wall / native.wall);
    }
  });
}

async function latencies() {
  await alternate("latency", async (server, add) => {
    const { preparing, sending } = await latencyWhileFetching(server, "bench.git");
    for (const [phase, { p50, max, count }] of [
      ["prepared", preparing],
      ["sent", sending],
    ]) {
      add(`ls-remote while a fetch is ${phase}: median, ms`, p50);
      add(`ls-remote while a fetch is ${phase}: max, ms`, max);
      add(`ls-remote while a fetch is ${phase}: answered`, count);
    }
  });
}

/** Pushes all that `source` has to a repository that is empty, with and without what C git leaves out by itself. */
async function wholePushes({ directory: source }) {
  const expected = git.run("-C", source, "for-each-ref");
  for (const [title, settings] of [
    ["first push", []],
    ["first push, receive.fsckObjects=true", ["receive.fsckObjects=true"]],
  ])
    await alternate(title, async (server, add, side, pair) => {
      const name = `first-${side}-${pair}.git`;
      const target = join(work, name);
      git.run("init", "-q", "--bare", target);
      for (const setting of settings) git.run("-C", target, "config", ...setting.split("="));
      const { cpu, rss, wall } = await push(server, git, source, name);
      if (git.run("-C", target, "for-each-ref") !== expected)
        throw new Error("the push did not bring every ref");
      rmSync(target, { recursive: true });
      add(`${title}: wall, s`, wall);
      add(`${title}: server CPU, s`, cpu);
      add(`${title}: server peak memory, MiB`, rss);
    });
}

/** One commit after the other into a repository that has much else. */
async function smallPushes({ directory }) {
  const source = join(work, "dev.git");
  git.run("clone", "-q", "--bare", "--shared", directory, source);
  const commits = commitLine(git, source, "stock", SMALL_PUSHES + 1);
  const lineOf = (label, count) => ({
    ref: `refs/heads/${label}`,
    commits: commitLine(git, source, label, count),
  });
  const pushAll = async (server, name, { ref, commits: all }) => {
    const times = [];
    for (const commit of all) times.push(await rawPush(server.port, name, { ref, ...commit }));
    return times;
  };
  const warmLine = lineOf("warm", WARM_PUSHES);
  const warmUp = async (server, side, pair) => {
    const name = `warm-${side}-${pair}.git`;
    git.run("clone", "-q", "--mirror", directory, join(work, name));
    await pushAll(server, name, warmLine);
    rmSync(join(work, name), { recursive: true });
  };
  await alternate("push of one commit", async (server, add, side, pair) => {
    const name = `small-${side}-${pair}.git`;
    git.run("clone", "-q", "--mirror", directory, join(work, name));
    const costs = [];
    for (const [number, { id }] of commits.entries()) {
      // A server that was never asked has to find its way about; the others are those of one that runs.
      if (number === 1) await warmUp(server, side, pair);
      costs.push(await push(server, git, source, name, `${id}:refs/heads/pushed`));
    }
    rmSync(join(work, name), { recursive: true });
    const later = costs.slice(1);
    add("push of one commit: first, server CPU, ms", costs[0].cpu * 1000);
    add("push of one commit: wall, ms", median(later.map(({ wall }) => wall * 1000)));
    add("push of one commit: server CPU, ms", (sum(later.map(({ cpu }) => cpu)) * 1000) / later.length);
  });
  const lines = ["one", "a", "b", "c", "d"].map((label) => lineOf(label, SMALL_PUSHES));
  await alternate("push of one commit by a client of the rig", async (server, add, side, pair) => {
    const name = `raw-${side}-${pair}.git`;
    git.run("clone", "-q", "--mirror", directory, join(work, name));
    const [one, ...others] = lines;
    await warmUp(server, side, pair);
    add("push of one commit, client's time apart: ms", median(await pushAll(server, name, one)));
    const started = performance.now();
    await Promise.all(others.map((line) => pushAll(server, name, line)));
    const seconds = (performance.now() - started) / 1000;
    add("pushes of one commit, four at once: a second", (others.length * SMALL_PUSHES) / seconds);
    rmSync(join(work, name), { recursive: true });
  });
}

const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);

async function pushes() {
  const source = join(work, "source.git");
  benchCopy(git, await generated(git, PUSHED_OBJECTS, note), source);
  const expected = git.run("-C", source, "for-each-ref");
  await alternate("push", async (server, add, side, pair) => {
    const name = `push-${side}-${pair}.git`;
    const target = join(work, name);
    git.run("init", "-q", "--bare", target);
    const { cpu, rss, wall } = await push(server, git, source, name);
    if (git.run("-C", target, "for-each-ref") !== expected)
      throw new Error("the push did not bring every ref");
    git.run("-C", target, "fsck", "--connectivity-only");
    rmSync(target, { recursive: true });
    add("push of 20k objects: wall, s", wall);
    add("push of 20k objects: server CPU, s", cpu);
    add("push of 20k objects: server peak memory, MiB", rss);
  });
}

async function smalls() {
  await alternate("small requests", async (server, add) => {
    const list = await firstAndEach(server, ({ port }) => listRefsOnce(port, "bench.git"), { atOnce: 4 });
    const nothing = await firstAndEach(server, await nothingNew(server, "bench.git"), { atOnce: 4 });
    add("ls-remote: a second", list.perSecond);
    add("ls-remote: server CPU, ms", list.eachMs);
    add("fetch of nothing new: a second", nothing.perSecond);
    add("fetch of nothing new: server CPU, ms", nothing.eachMs);
  });
}

/** Each kind of request on a server of its own, for what the first one costs. */
async function requests(kinds) {
  for (const { name, way, run, isServed = () => true } of kinds) {
    const counts = new Map();
    const refusing = new Set();
    for (const side of sides) if (!(await using(side, isServed, way))) refusing.add(side);
    const measure = async (server, add, side) => {
      if (refusing.has(side)) return note("refused");
      const { firstMs, eachMs } = await firstAndEach(server, run);
      add(`${name}: first, server CPU, ms`, firstMs);
      add(`${name}: server CPU, ms`, eachMs);
      counts.set(side, await run(server));
    };
    await alternate(name, measure, way);
    if (new Set(counts.values()).size > 1)
      note(`${name}: answers of different size: ${JSON.stringify([...counts])}`);
  }
}

/** Of ours alone: C git has a process for each. */
async function manyClients(kind, measure) {
  if (!sides.includes("xgit")) return;
  for (const way of ["git://", "http://"])
    for (let turn = 1; turn <= Number(options.pairs); turn++) {
      note(`${kind} over ${way}: ${turn} of ${options.pairs}`);
      const start = way === "git://" ? startOurDaemon : startOurs;
      const server = await start(options.server, work, git.env);
      try {
        await measure(server, way, (what, value) =>
          results.add("xgit", `${kind} over ${way}: ${what}`, value),
        );
      } finally {
        await server.stop();
      }
    }
}

async function idle() {
  await manyClients("500 idle connections", async (server, way, add) => {
    add("MiB", await idleConnections(server, "bench.git", way));
  });
}

async function stalled() {
  await manyClients("100 stalled readers", async (server, way, add) => {
    const { added, slower } = await stalledReaders(server, "bench.git", way);
    add("MiB", added);
    add("times as long for another clone", slower);
  });
}

try {
  const source = positionals[0] ?? (await generated(git, Number(options.objects), note));
  const copy = benchCopy(git, source, join(work, "bench.git"), options);
  const size = (copy.packBytes / 1024 / 1024).toFixed(0);
  const where = `${git.version}, node ${process.versions.node}, ${cpus().length} x ${cpus()[0]?.model}`;
  const what = `${positionals[0] ?? "made up"}: ${copy.objects} objects, ${copy.refs} refs, one pack of ${size} MiB`;
  note(`${where}\n${what}`);
  if (wanted.has("fetch")) {
    await verify(copy);
    await fetches(copy);
  }
  if (wanted.has("ways")) await ways(copy);
  if (wanted.has("latency")) await latencies();
  if (wanted.has("push")) await pushes();
  if (wanted.has("pushes") || wanted.has("smallpushes")) {
    if (!wanted.has("smallpushes")) await wholePushes(copy);
    await smallPushes(copy);
  }
  if (wanted.has("small")) await smalls();
  if (wanted.has("fetches")) await requests(smallFetches(git, copy.directory, "bench.git"));
  if (wanted.has("archive")) await requests(archives("bench.git"));
  if (wanted.has("idle")) await idle();
  if (wanted.has("stalled")) await stalled();
  if (wanted.has("refs")) {
    benchCopy(git, source, join(work, "refs.git"));
    addRefs(git, join(work, "refs.git"), MANY_REFS);
    await requests(listings("refs.git"));
  }
  const { text, kept } = results.table(PROMISES);
  console.log(`\n${what}\n${where}\nmedian (least–most) of ${options.pairs} alternating pairs\n\n${text}`);
  if (options.json !== undefined)
    writeFileSync(options.json, `${JSON.stringify({ where, what, results }, null, 2)}\n`);
  if (options.check && !kept) process.exitCode = 1;
} finally {
  if (options.keep) note(`kept: ${work}`);
  else rmSync(work, { recursive: true, force: true });
}
