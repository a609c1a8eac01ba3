// What has to hold after a server died at any point of a push, or met a disk that failed.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Files that nobody may leave behind. */
const LEFTOVER = /\.(?:lock|new|keep)$|(?:^|\/)tmp_|^xgit-journal\/./;

/** What is left of interrupted work in a repository. */
export function leftovers(directory) {
  const paths = readdirSync(directory, { recursive: true, encoding: "latin1" });
  const present = new Set(paths);
  // A pack that has no index yet is left alone for an hour: somebody may be about to give it one.
  const isIncomplete = (path) =>
    path.endsWith(".keep") &&
    present.has(path.replace(/keep$/, "pack")) &&
    !present.has(path.replace(/keep$/, "idx"));
  return paths.filter((path) => LEFTOVER.test(path) && !isIncomplete(path));
}

/** The refs as C git sees them. */
export function refsOf(git, directory) {
  const out = git.run("-C", directory, "for-each-ref", "--format=%(refname) %(objectname)");
  return new Map(out === "" ? [] : out.split("\n").map((line) => line.split(" ")));
}

/** Every ref of the push holds what it did before or what it shall hold; nothing else changed. */
export function* checkRefs(scene, before, refs, report) {
  const changed = new Map(scene.changes.map((change) => [change.name, change]));
  for (const name of new Set([...before.keys(), ...refs.keys(), ...changed.keys()])) {
    const now = refs.get(name);
    const change = changed.get(name) ?? { old: before.get(name), next: before.get(name) };
    if (now !== change.old && now !== change.next) yield `${name} holds ${now}, neither old nor new`;
    if (report.done.has(name) && now !== change.next) yield `${name} was reported done and is not`;
  }
}

/** All of them or none. */
export function* checkWhole(scene, refs) {
  const made = scene.changes.map(({ name, next }) => refs.get(name) === next);
  if (scene.atomic && made.includes(true) && made.includes(false))
    yield `an atomic push is made in part: ${made.join()}`;
}

/** C git finds nothing missing or corrupt. */
export function* checkObjects(git, directory) {
  for (const args of [["--connectivity-only"], ["--full"]])
    try {
      git.run("-C", directory, "fsck", "--strict", "--no-dangling", ...args);
    } catch (error) {
      yield `fsck ${args}: ${error.message}`;
    }
}

/** Each line of the reflogs is one, but for the last that may end early. */
export function* checkReflogs(scene, directory) {
  for (const { name } of [...scene.changes, { name: "HEAD" }]) {
    const path = join(directory, "logs", name);
    if (!existsSync(path)) continue;
    const lines = readFileSync(path, "latin1").split("\n");
    lines.pop();
    for (const line of lines)
      if (!/^[0-9a-f]{40} [0-9a-f]{40} .+ <.*> [0-9]+ [+-][0-9]{4}(?:\t.*)?$/.test(line))
        yield `reflog of ${name}: ${line}`;
  }
}
