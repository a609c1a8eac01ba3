// Stock git pushes, clones and repacks at the same time, through two servers on one directory:
//   pnpm drill:races [--rounds N]
// In the end everybody's pushes are there, nothing is lost or left behind, and C git finds nothing wrong.
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { stockGit } from "../bench/git.mjs";
import { startOurs } from "../bench/servers.mjs";
import { checkObjects, leftovers, refsOf } from "./invariants.mjs";

const { values: options } = parseArgs({
  args: process.argv.slice(2).filter((argument) => argument !== "--"),
  options: {
    rounds: { type: "string", default: "10" },
    server: {
      type: "string",
      default: fileURLToPath(new URL("../../packages/cli/dist/bin.js", import.meta.url)),
    },
  },
});
if (!existsSync(options.server)) throw new Error(`${options.server} is not built`);
const rounds = Number(options.rounds);
const work = mkdtempSync(join(tmpdir(), "x-races-"));
const root = join(work, "root");
mkdirSync(root);
const git = stockGit(work);

let serial = 0;
/** A commit that nobody else has. */
function commit(repository, parent) {
  serial++;
  const tree = git.feed(
    `100644 blob ${git.feed(`content ${serial}\n`, "-C", repository, "hash-object", "-w", "--stdin")}\tfile\n`,
    "-C",
    repository,
    "mktree",
  );
  const parents = parent === undefined ? [] : ["-p", parent];
  return git.run("-C", repository, "commit-tree", tree, ...parents, "-m", `commit ${serial}`);
}

/** An empty repository below the root, and as many to push from, all with the same first commit. */
function make(name, pushers) {
  const there = join(root, `${name}.git`);
  git.run("init", "-q", "--bare", there);
  const first = commit(there);
  git.run("-C", there, "update-ref", "refs/heads/main", first);
  const from = Array.from({ length: pushers }, (_, i) => {
    const clone = join(work, `${name}-${i}.git`);
    git.run("clone", "-q", "--mirror", there, clone);
    return clone;
  });
  return { there, from, first, name };
}

const servers = await Promise.all([
  startOurs(options.server, root, git.env),
  startOurs(options.server, root, git.env),
]);
/** One server or the other, one transport or the other. */
function urlOf(name, i) {
  const server = servers[i % 2];
  return i % 4 < 2
    ? `git://127.0.0.1:${server.port}/${name}.git`
    : `http://127.0.0.1:${server.httpPort}/${name}.git`;
}

/** @returns what git said when it failed */
const outcome = (...args) =>
  git.start(...args).then(
    () => undefined,
    (error) => error.message,
  );
const push = (scene, i, ...specs) =>
  outcome("-C", scene.from[i], "push", "-q", urlOf(scene.name, i), ...specs);

function* sound({ there }) {
  yield* checkObjects(git, there);
  for (const path of leftovers(there)) yield `left: ${path}`;
}

/** C git repacks until it is told to stop. */
function upkeep({ there }) {
  let goesOn = true;
  const jobs = [
    ["gc", "-q"],
    ["repack", "-adq"],
    ["pack-refs", "--all"],
  ];
  const done = (async () => {
    const problems = [];
    for (let i = 0; goesOn; i++) {
      const said = await outcome("-C", there, ...jobs[i % jobs.length]);
      if (said !== undefined) problems.push(`upkeep: ${said}`);
    }
    return problems;
  })();
  return () => {
    goesOn = false;
    return done;
  };
}

const RACES = {
  async "X1 eight push one ref: one wins each round"() {
    const scene = make("one", 8);
    const problems = [];
    let tip = scene.first;
    for (let round = 0; round < rounds; round++) {
      const next = scene.from.map((from) => commit(from, tip));
      const said = await Promise.all(next.map((id, i) => push(scene, i, `${id}:refs/heads/main`)));
      const winners = next.filter((_, i) => said[i] === undefined);
      const now = refsOf(git, scene.there).get("refs/heads/main");
      if (winners.length !== 1 || winners[0] !== now) problems.push(`round ${round}: ${winners.length} won`);
      tip = now;
      for (const [i, from] of scene.from.entries())
        await outcome("-C", from, "fetch", "-q", urlOf("one", i), "+refs/heads/main:refs/heads/main");
    }
    const length = Number(git.run("-C", scene.there, "rev-list", "--count", "main"));
    if (length !== rounds + 1) problems.push(`${length} commits after ${rounds} rounds`);
    return [...problems, ...sound(scene)];
  },
  async "X2, X3, X13 each pushes refs of its own and the same objects"() {
    const scene = make("many", 8);
    const problems = [];
    for (let round = 0; round < rounds; round++) {
      const id = commit(scene.from[0], scene.first);
      for (const from of scene.from.slice(1)) git.run("-C", from, "fetch", "-q", scene.from[0], id);
      const said = await Promise.all(
        scene.from.map((_, i) => push(scene, i, `${id}:refs/heads/${round}/${i}`)),
      );
      problems.push(...said.filter((text) => text !== undefined));
    }
    const count = refsOf(git, scene.there).size;
    if (count !== 8 * rounds + 1) problems.push(`${count} refs`);
    return [...problems, ...sound(scene)];
  },
  async "X4 a name and one below it: one is made"() {
    const scene = make("names", 2);
    const problems = [];
    for (let round = 0; round < 2 * rounds; round++) {
      const names = [`refs/heads/r${round}`, `refs/heads/r${round}/below`];
      const said = await Promise.all(names.map((name, i) => push(scene, i, `${scene.first}:${name}`)));
      const made = names.filter((name) => refsOf(git, scene.there).has(name));
      if (made.length !== 1 || said.filter((text) => text === undefined).length !== 1)
        problems.push(`round ${round}: ${made.length} made, ${said.join("; ")}`);
    }
    return [...problems, ...sound(scene)];
  },
  async "X5 neighbours come and go"() {
    const scene = make("neighbours", 4);
    const problems = [];
    for (let round = 0; round < rounds; round++)
      for (const create of [true, false]) {
        const specs = scene.from.map((_, i) => `${create ? scene.first : ""}:refs/heads/x/y/${i}`);
        const said = await Promise.all(specs.map((spec, i) => push(scene, i, spec)));
        problems.push(...said.filter((text) => text !== undefined));
      }
    if (refsOf(git, scene.there).size !== 1) problems.push("refs are left");
    return [...problems, ...sound(scene)];
  },
  async "X6, X8, X10 clones while others push, force-push and repack"() {
    const scene = make("busy", 3);
    const stop = upkeep(scene);
    const problems = [];
    const pusher = async (i) => {
      let tip = scene.first;
      for (let round = 0; round < rounds; round++) {
        const next = commit(scene.from[i], round % 4 === 3 ? scene.first : tip);
        const said =
          i === 2
            ? await outcome("-C", scene.from[i], "push", "-q", scene.there, `+${next}:refs/heads/p${i}`)
            : await push(scene, i, `+${next}:refs/heads/p${i}`);
        if (said !== undefined) problems.push(`push: ${said}`);
        tip = next;
      }
      if (refsOf(git, scene.there).get(`refs/heads/p${i}`) !== tip)
        problems.push(`p${i} is not what was pushed last`);
    };
    const cloner = async (i) => {
      for (let round = 0; round < rounds; round++) {
        const clone = join(work, `clone-${i}-${round}.git`);
        const said = await outcome("clone", "-q", "--mirror", urlOf("busy", i), clone);
        if (said === undefined) problems.push(...checkObjects(git, clone));
        else problems.push(`clone: ${said}`);
        rmSync(clone, { recursive: true, force: true });
      }
    };
    await Promise.all([pusher(0), pusher(1), pusher(2), cloner(0), cloner(1), cloner(2), cloner(3)]);
    problems.push(...(await stop()));
    return [...problems, ...sound(scene)];
  },
};

let failed = 0;
let passed = 0;
try {
  for (const [title, run] of Object.entries(RACES)) {
    const problems = await run();
    console.log(`${problems.length === 0 ? "ok    " : "FAILED"} ${title}`);
    for (const problem of problems) console.log(`       ${problem}`);
    if (problems.length === 0) passed++;
    else failed++;
  }
} finally {
  await Promise.all(servers.map((server) => server.stop().catch(() => {})));
  rmSync(work, { recursive: true, force: true });
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
