// What is pushed in a drill, and to what: small repositories made once, copied for each cell.
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { appendFileSync, cpSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";

/** A ref before and after a push; `undefined` where there is none. */
/** @typedef {{ name: string, old: string | undefined, next: string | undefined }} Change */

/**
 * @param {ReturnType<import("../bench/git.mjs").stockGit>} git
 * @param {string} work a directory of the drill
 * @param {{ reftable?: boolean }} options keep refs in reftables, which takes a git that knows them
 */
export function makeScenes(git, work, options = {}) {
  const source = join(work, "source.git");
  git.run("init", "-q", "--bare", source);
  const here = (...args) => git.run("-C", source, ...args);
  const stream = [];
  for (let i = 1; i <= 6; i++)
    stream.push(
      `commit refs/heads/main\nmark :${i}\ncommitter C <c@example.com> ${1_600_000_000 + i} +0000\ndata 2\nx\n`,
      i === 1 ? "" : `from :${i - 1}\n`,
      ...[0, 1, 2].map(
        (n) => `M 100644 inline d${n}/f${i % 3}\ndata ${8 + `${i}${n}`.length}\ncontent ${i}${n}\n`,
      ),
      "\n",
    );
  git.feed(stream.join(""), "-C", source, "fast-import", "--quiet");
  const [v0, v1, v2, v3] = ["main~5", "main~4", "main~2", "main"].map((name) => here("rev-parse", name));
  const pack = execFileSync("git", ["-C", source, "pack-objects", "-q", "--revs", "--stdout", "--thin"], {
    env: git.env,
    input: `${v3}\n^${v1}\n`,
  });
  // More than a server holds in memory.
  const noise = git.feed(randomBytes(400_000), "-C", source, "hash-object", "-w", "--stdin").trim();
  const noiseTree = git.feed(`100644 blob ${noise}\tnoise\n`, "-C", source, "mktree").trim();
  const large = here("commit-tree", noiseTree, "-p", v3, "-m", "large");
  const largePack = execFileSync(
    "git",
    ["-C", source, "pack-objects", "-q", "--revs", "--stdout", "--thin"],
    {
      env: git.env,
      input: `${large}\n^${v1}\n`,
    },
  );
  const template = join(work, "template.git");
  git.run("init", "-q", "--bare", template);
  const there = (...args) => git.run("-C", template, ...args);
  git.run("-C", source, "push", "-q", template, `${v1}:refs/heads/main`);
  there("config", "core.logAllRefUpdates", "always");
  there("config", "receive.unpackLimit", "1");
  for (const [ref, id] of [
    ["gone", v0],
    ["packed", v0],
    ["deep/other", v0],
  ])
    there("update-ref", `refs/heads/${ref}`, id);
  there("pack-refs", "--all");
  there("update-ref", "refs/heads/gone", v1); // above an older, packed value
  there("repack", "-adq");

  // A history of its own, of which the pusher has the two latest commits.
  const long = join(work, "long.git");
  git.run("init", "-q", "--bare", long);
  git.feed(stream.join("").replaceAll("content", "CONTENT"), "-C", long, "fast-import", "--quiet");
  const shallowSource = join(work, "shallow.git");
  git.run("clone", "-q", "--bare", "--depth=2", `file://${long}`, shallowSource);
  const tip = git.run("-C", shallowSource, "rev-parse", "main");
  const root = git.run("-C", shallowSource, "rev-parse", "main~1");
  const shallowPack = execFileSync("git", ["-C", shallowSource, "pack-objects", "-q", "--revs", "--stdout"], {
    env: git.env,
    input: `${tip}\n`,
  });
  there("config", "receive.shallowUpdate", "true");
  if (options.reftable) there("refs", "migrate", "--ref-format=reftable");

  const main = { name: "refs/heads/main", old: v1, next: v3 };
  const made = { name: "refs/heads/new/made", old: undefined, next: v2 };
  const gone = { name: "refs/heads/gone", old: v1, next: undefined };
  const packed = { name: "refs/heads/packed", old: v0, next: undefined };
  const deep = { name: "refs/heads/deep/other", old: v0, next: undefined };
  return [
    { title: "one ref", changes: [main], atomic: false, pack },
    { title: "one ref, objects one by one", changes: [main], atomic: false, pack, loose: true },
    { title: "a large pack", changes: [{ ...main, next: large }], atomic: false, pack: largePack },
    { title: "refs, each for itself", changes: [main, made, gone, packed], atomic: false, pack },
    { title: "refs, all or none", changes: [main, made, gone, deep], atomic: true, pack },
    { title: "delete a loose ref over a packed one", changes: [gone], atomic: false },
    { title: "delete packed refs", changes: [packed, deep], atomic: false },
    { title: "delete, all or none", changes: [gone, packed], atomic: true },
    {
      title: "from a shallow repository",
      changes: [{ name: "refs/heads/shallow", old: undefined, next: tip }],
      atomic: false,
      pack: shallowPack,
      source: shallowSource,
      shallow: [root],
    },
  ].map((scene) => ({ source, shallow: [], ...scene, template }));
}

/** A copy of the repository to push to, `fresh` for each cell. */
export function stage(scene, directory) {
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  cpSync(scene.template, directory, { recursive: true });
  if (scene.loose) appendFileSync(join(directory, "config"), "[receive]\n\tunpackLimit = 100\n");
}

/** The client's side of the push, as bytes. Spec: gitprotocol-pack, "Pushing Data To a Server". */
export function requestOf({ changes, atomic, pack, shallow }) {
  const packet = (text) => `${(text.length + 4).toString(16).padStart(4, "0")}${text}`;
  const zero = "0".repeat(40);
  const lines = changes.map(({ name, old = zero, next = zero }, i) =>
    packet(`${old} ${next} ${name}${i === 0 ? `\0report-status${atomic ? " atomic" : ""}` : ""}`),
  );
  lines.unshift(...shallow.map((id) => packet(`shallow ${id}`)));
  return Buffer.concat([Buffer.from(`${lines.join("")}0000`, "latin1"), pack ?? Buffer.alloc(0)]);
}
