import { readdirSync } from "node:fs";
import { fromBytePath } from "../disk/byte-path.ts";
import { type IndexEntry, isGitlink } from "./index-entry.ts";
import type { UpdatePlan } from "./plan-update.ts";
import { compareFile, type FileComparison } from "./refresh-entries.ts";
import { lstatOf } from "./stat-data.ts";
import type { TreeFile } from "./tree-files.ts";
import { UpdateRefused } from "./update-refused.ts";

/**
 * Looks whether a plan would destroy something that no commit has: a file that is not in the index, or one that its user
 * promised not to change and did. Yields now and then.
 * @throws UpdateRefused in git's words
 */
export function* checkPlan(plan: UpdatePlan, comparison: FileComparison): Generator<void, void> {
  const { ignoreCase } = comparison.settings;
  const fold = (path: string) => (ignoreCase ? foldCase(path) : path);
  if (ignoreCase) refuseCollisions(plan);
  const goes = new Map(plan.removed.map((entry) => [fold(entry.path), entry]));
  for (const entry of plan.removed) {
    yield;
    yield* refuseBrokenPromise(entry, comparison);
  }
  for (const planned of plan.result) {
    if (planned.kind === "kept") continue;
    yield;
    if (planned.old === undefined) refuseUntracked(planned.file, (path) => goes.has(fold(path)), comparison);
    else {
      yield* refuseBrokenPromise(planned.old, comparison);
      refuseSubmodule(planned.old, planned.file, comparison);
    }
  }
}

/** What is promised not to change, or not to be there, is looked at before it is overwritten. */
function* refuseBrokenPromise(entry: IndexEntry, comparison: FileComparison): Generator<void, void> {
  if (isGitlink(entry.mode) || !(entry.assumeValid || entry.skipWorktree)) return;
  if (comparison.leading.look(entry.path).kind === "missing") return;
  if (lstatOf(`${comparison.root}/${entry.path}`) === undefined) return;
  if ((yield* compareFile(entry, comparison)) === undefined)
    throw new UpdateRefused(`Entry '${entry.path}' not uptodate. Cannot merge.`);
}

/** A file takes a submodule's place: nothing may be checked out there. */
function refuseSubmodule(old: IndexEntry, file: TreeFile, { root }: FileComparison): void {
  if (!isGitlink(old.mode) || isGitlink(file.mode)) return;
  const directory = `${root}/${old.path}`;
  if (lstatOf(directory)?.isDirectory() && readdirSync(fromBytePath(directory)).length > 0)
    throw new UpdateRefused(`Submodule '${old.path}' is checked out where a file is to be.`);
}

function refuseUntracked(
  { path, mode }: TreeFile,
  goes: (path: string) => boolean,
  { root, leading }: FileComparison,
): void {
  const above = leading.look(path);
  if (above.kind === "missing") return;
  if (above.kind === "blocked") {
    if (!goes(above.path)) throw overwritten(above.path);
    return;
  }
  const stats = lstatOf(`${root}/${path}`);
  if (stats === undefined || goes(path)) return;
  if (!stats.isDirectory()) throw overwritten(path);
  if (!isGitlink(mode) && !holdsOnly(root, path, goes))
    throw new UpdateRefused(`Updating the following directories would lose untracked files in them: ${path}`);
}

/** Whether all files below a directory are among those that go. */
function holdsOnly(root: string, directory: string, goes: (path: string) => boolean): boolean {
  for (const found of readdirSync(fromBytePath(`${root}/${directory}`), {
    withFileTypes: true,
    encoding: "buffer",
  })) {
    const path = `${directory}/${found.name.toString("latin1")}`;
    if (goes(path)) {
      if (found.isDirectory() && readdirSync(fromBytePath(`${root}/${path}`)).length > 0) return false; // a submodule
    } else if (!found.isDirectory() || !holdsOnly(root, path, goes)) return false;
  }
  return true;
}

function overwritten(path: string): UpdateRefused {
  return new UpdateRefused(`Untracked working tree file '${path}' would be overwritten by merge.`);
}

/** Where the system takes names that differ in case for one, a commit must not hold two of them. */
function refuseCollisions({ result }: UpdatePlan): void {
  const seen = new Map<string, string>();
  for (const planned of result) {
    const path = planned.kind === "kept" ? planned.entry.path : planned.file.path;
    for (let end = path.indexOf("/"); ; end = path.indexOf("/", end + 1)) {
      const part = end < 0 ? path : path.slice(0, end);
      const known = seen.get(foldCase(part));
      if (known !== undefined && (known !== part || end < 0))
        throw new UpdateRefused(`'${part}' and '${known}' differ in case only`);
      seen.set(foldCase(part), part);
      if (end < 0) break;
    }
  }
}

/** Also what is not ASCII, as far as it is UTF-8. */
function foldCase(path: string): string {
  return Buffer.from(path, "latin1").toString("utf8").normalize("NFC").toLowerCase();
}
