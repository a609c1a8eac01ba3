// The repositories that are measured: a copy of the one given, or one made up, packed the same way every time.
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { pathToFileURL } from "node:url";
import { GENERATOR_VERSION, history } from "./generate.mjs";

/** A bare repository of about so many objects; made once for each version of the generator. */
export async function generated(git, objects, note) {
  const cache = join(tmpdir(), `x-bench-cache-v${GENERATOR_VERSION}`);
  const directory = join(cache, `${objects}.git`);
  if (existsSync(directory)) return directory;
  note(`making a repository of about ${objects} objects in ${directory}`);
  mkdirSync(cache, { recursive: true });
  const draft = join(cache, `${objects}.${process.pid}.draft`);
  git.run("init", "-q", "--bare", draft);
  // --force: a topic's name is used again for another topic.
  const child = spawn("git", ["-C", draft, "fast-import", "--quiet", "--done", "--force"], {
    env: git.env,
    stdio: ["pipe", "ignore", "inherit"],
  });
  const ended = new Promise((done) => child.on("close", done));
  await pipeline(Readable.from(history(objects), { objectMode: true }), child.stdin);
  if ((await ended) !== 0) throw new Error("git fast-import failed");
  // Once from scratch: fast-import hardly looks for deltas.
  git.run("-C", draft, "repack", "-adfq", "--depth=50", "--window=10");
  try {
    renameSync(draft, directory);
  } catch (error) {
    if (!existsSync(directory)) throw error; // another run was faster
    rmSync(draft, { recursive: true });
  }
  return directory;
}

/** Copies `source` to a bare repository with one pack, and nothing but perhaps bitmaps that answers a fetch ahead of time. */
export function benchCopy(git, source, target, { bitmaps = false } = {}) {
  // By URL, so that what is copied is what is reachable, not files.
  git.run("clone", "-q", "--mirror", pathToFileURL(resolve(source)).href, target);
  git.run("-C", target, "repack", bitmaps ? "-adbq" : "-adq");
  git.run("-C", target, "pack-refs", "--all");
  git.run("-C", target, "config", "uploadpack.allowFilter", "true");
  const objects = join(target, "objects");
  for (const name of ["commit-graph", "commit-graphs"])
    rmSync(join(objects, "info", name), { recursive: true, force: true });
  for (const name of readdirSync(join(objects, "pack")))
    if (/\.(?:bitmap|rev|mtimes)$/.test(name) ? !bitmaps : name === "multi-pack-index")
      rmSync(join(objects, "pack", name));
  return describe(git, target);
}

/** Gives a repository so many refs more, as a review system does: outside of branches and tags, and packed. */
export function addRefs(git, directory, count) {
  const commits = git.run("-C", directory, "rev-list", `--max-count=${count}`, "--all").split("\n");
  const edits = [];
  for (let number = 0; number < count; number++) {
    const change = String(number + 1);
    edits.push(
      `create refs/changes/${change.padStart(2, "0").slice(-2)}/${change}/1 ${commits[number % commits.length]}\n`,
    );
  }
  git.feed(edits.join(""), "-C", directory, "update-ref", "--stdin");
  git.run("-C", directory, "pack-refs", "--all");
}

function describe(git, directory) {
  const packs = readdirSync(join(directory, "objects/pack")).filter((name) => name.endsWith(".pack"));
  const count = /^in-pack: (\d+)$/m.exec(git.run("-C", directory, "count-objects", "-v"))?.[1];
  return {
    directory,
    objects: Number(count),
    refs: git.run("-C", directory, "for-each-ref").split("\n").length,
    packBytes: packs.reduce((sum, name) => sum + statSync(join(directory, "objects/pack", name)).size, 0),
  };
}
