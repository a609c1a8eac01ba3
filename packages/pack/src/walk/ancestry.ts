import { CommitQueue } from "./commit-queue.ts";
import { type CommitTable, MISSING } from "./commit-table.ts";
import { BREATH } from "./history-walk.ts";
import { ObjectFlags } from "./object-notes.ts";

const VISITED = 1;
const REACHES = 2;
const SOUGHT = 4;

/**
 * Commits of `sought` that none of `tips` has in its history, by a walk that ends as soon as all are found, and that
 * does not go where generations say they cannot be. Yields now and then.
 */
export function* unreachableCommits(
  commits: CommitTable,
  sought: ReadonlySet<number>,
  tips: Iterable<number>,
): Generator<undefined, Set<number>> {
  const left = new Set(sought);
  let lowest = Infinity;
  for (const commit of sought) lowest = Math.min(lowest, commits.generation(commit));
  const flags = new ObjectFlags(commits.objects.count);
  const queue = new CommitQueue();
  const visit = (commit: number) => {
    if (commit === MISSING || flags.get(commit) & VISITED) return;
    flags.set(commit, VISITED);
    left.delete(commit);
    if (commits.generation(commit) < lowest) return;
    queue.push(commit, commits.time(commit));
  };
  for (const tip of tips) visit(tip);
  let steps = 0;
  for (
    let commit = left.size > 0 ? queue.pop() : -1;
    commit >= 0;
    commit = left.size > 0 ? queue.pop() : -1
  ) {
    if (++steps % BREATH === 0) yield;
    for (const parent of commits.parents(commit)) visit(parent);
  }
  return left;
}

/**
 * Whether each of `from` is one of `to` or has one in its history. Commits older than all of `to`, or of a lower
 * generation, are not looked into. Yields now and then.
 */
export function* allReach(
  commits: CommitTable,
  from: Iterable<number>,
  to: ReadonlySet<number>,
): Generator<undefined, boolean> {
  const flags = new ObjectFlags(commits.objects.count);
  const floor = { time: Infinity, generation: Infinity };
  let steps = 0;
  for (const commit of to) {
    if (++steps % BREATH === 0) yield;
    flags.set(commit, SOUGHT);
    floor.time = Math.min(floor.time, commits.time(commit));
    floor.generation = Math.min(floor.generation, commits.generation(commit));
  }
  for (const start of from) if (!(yield* reaches(commits, start, floor, flags))) return false;
  return true;
}

/**
 * Commits and their parents: whoever has the ones has the others. A branch that left history further down than the
 * wants then says enough by its tip alone.
 */
export function* withParents(
  commits: CommitTable,
  list: Iterable<number>,
): Generator<undefined, Set<number>> {
  const all = new Set(list);
  let steps = 0;
  for (const commit of list) {
    if (++steps % BREATH === 0) yield;
    for (const parent of commits.parents(commit)) if (parent !== MISSING) all.add(parent);
  }
  return all;
}

/** Depth first, with an answer noted on every commit that was left: no commit is looked into twice. */
function* reaches(
  commits: CommitTable,
  start: number,
  floor: { readonly time: number; readonly generation: number },
  flags: ObjectFlags,
): Generator<undefined, boolean> {
  const path: PathStep[] = [];
  const visit = (commit: number) => {
    flags.set(commit, VISITED);
    const ends =
      (flags.get(commit) & SOUGHT) !== 0 ||
      commits.time(commit) < floor.time ||
      commits.generation(commit) < floor.generation;
    path.push({ commit, parents: ends ? [] : commits.parents(commit), next: 0 });
  };
  if ((flags.get(start) & VISITED) === 0) visit(start);
  let steps = 0;
  for (let step = path.at(-1); step !== undefined; step = path.at(-1)) {
    if (++steps % BREATH === 0) yield;
    const parent = step.parents[step.next];
    const noted = parent === undefined || parent === MISSING ? VISITED : flags.get(parent);
    if (noted & (SOUGHT | REACHES)) flags.set(step.commit, REACHES);
    else if (parent !== undefined) {
      if (noted & VISITED) step.next++;
      else visit(parent);
      continue;
    }
    path.pop();
  }
  return (flags.get(start) & (SOUGHT | REACHES)) !== 0;
}

/** A commit on the way down, and which of its parents is being looked at. */
interface PathStep {
  readonly commit: number;
  readonly parents: readonly number[];
  next: number;
}
