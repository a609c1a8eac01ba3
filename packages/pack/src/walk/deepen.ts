import { PackError } from "../errors.ts";
import { type CommitTable, MISSING } from "./commit-table.ts";
import { BREATH, HistoryWalk } from "./history-walk.ts";
import { ObjectFlags } from "./object-notes.ts";

/** A `DeepenRequest` in numbers of commits that are stored. */
export interface DeepenSearch {
  readonly wants: readonly number[];
  readonly tips?: readonly number[] | undefined;
  readonly clientShallow: readonly number[];
  readonly depth?: number | undefined;
  readonly relative?: boolean | undefined;
  readonly since?: number | undefined;
  readonly not?: readonly number[] | undefined;
}

/** Which commits get their parents sent (`inner`), and which are sent without (`border`). */
export interface Depths {
  readonly inner: ReadonlySet<number>;
  readonly border: ReadonlySet<number>;
}

interface FoundDepths {
  readonly inner: Set<number>;
  readonly border: Set<number>;
}

/**
 * Where history ends for a client that asked for part of it. `boundary` are the commits whose parents the store itself
 * lacks on purpose. Spec: gitprotocol-pack, "Packfile Negotiation"; `git fetch --depth`, `--shallow-since`.
 * @throws PackError `pack/nothing-selected` when `since` and `not` select nothing, in C git's words
 */
export function* findDepths(
  commits: CommitTable,
  search: DeepenSearch,
  boundary: ReadonlySet<number>,
): Generator<undefined, Depths> {
  const { depth, since, not = [] } = search;
  // Of refs to stop at, none may be left: those that hold a blob stop nothing.
  if (depth === undefined || since !== undefined || not.length > 0)
    return yield* bySelection(commits, search, boundary);
  // All there is: every boundary goes, also one that nothing wanted leads to.
  if (depth === Infinity && boundary.size === 0)
    return { inner: new Set(search.clientShallow), border: new Set() };
  if (!search.relative) return yield* byDepth(commits, search.wants, depth, boundary);
  const tips = [...search.wants, ...(search.tips ?? [])];
  const starts = yield* reachableOf(commits, search.clientShallow, tips);
  const found = yield* byDepth(commits, starts, depth + 1, boundary);
  // A short way down one side of a merge leads to where the other side's history is, and must not cut that off.
  const old = new Set([...boundary, ...search.clientShallow]);
  const { inner: whole } = yield* byDepth(commits, search.wants, Infinity, old);
  const border = new Set<number>();
  for (const commit of found.border) (whole.has(commit) ? found.inner : border).add(commit);
  return { inner: found.inner, border };
}

/** Level by level from the starts, which are at depth 1. */
function* byDepth(
  commits: CommitTable,
  starts: Iterable<number>,
  depth: number,
  boundary: ReadonlySet<number>,
): Generator<undefined, FoundDepths> {
  const inner = new Set<number>();
  const border = new Set<number>();
  let level = [...new Set(starts)];
  let steps = 0;
  for (let at = 1; level.length > 0; at++) {
    const next = new Set<number>();
    for (const commit of level) {
      if (++steps % BREATH === 0) yield;
      if (at >= depth || boundary.has(commit)) {
        border.add(commit);
        continue;
      }
      inner.add(commit);
      for (const parent of commits.parents(commit))
        if (parent !== MISSING && !inner.has(parent) && !border.has(parent)) next.add(parent);
    }
    level = [...next].filter((commit) => !inner.has(commit) && !border.has(commit));
  }
  return { inner, border };
}

function* reachableOf(
  commits: CommitTable,
  sought: readonly number[],
  tips: readonly number[],
): Generator<undefined, number[]> {
  const { inner, border } = yield* byDepth(commits, tips, Infinity, new Set());
  return sought.filter((commit) => inner.has(commit) || border.has(commit));
}

/** What a walk selects is inner; a selected commit with a parent that is not selected is border. */
function* bySelection(
  commits: CommitTable,
  search: DeepenSearch,
  boundary: ReadonlySet<number>,
): Generator<undefined, Depths> {
  const inner = yield* search.not === undefined || search.not.length === 0
    ? madeSince(commits, search.wants, search.since ?? -Infinity)
    : notReached(commits, search.wants, search.not, search.since);
  if (inner.size === 0)
    throw new PackError("pack/nothing-selected", "no commits selected for shallow requests");
  const border = new Set<number>();
  for (const commit of inner)
    if (boundary.has(commit) || commits.parents(commit).some((parent) => !inner.has(parent)))
      border.add(commit);
  for (const commit of border) inner.delete(commit);
  return { inner, border };
}

/**
 * What is young enough, as far as a way of such commits leads. An old one hides nothing that another way leads to, as in
 * C git: with clocks that were wrong, a merge may be older than what it merged.
 */
function* madeSince(
  commits: CommitTable,
  wants: readonly number[],
  since: number,
): Generator<undefined, Set<number>> {
  const selected = new Set<number>();
  const pending = [...wants];
  let steps = 0;
  for (let commit = pending.pop(); commit !== undefined; commit = pending.pop()) {
    if (++steps % BREATH === 0) yield;
    if (commit === MISSING || selected.has(commit) || commits.time(commit) < since) continue;
    selected.add(commit);
    for (const parent of commits.parents(commit)) pending.push(parent);
  }
  return selected;
}

function* notReached(
  commits: CommitTable,
  wants: readonly number[],
  not: readonly number[],
  since: number | undefined,
): Generator<undefined, Set<number>> {
  const walk = new HistoryWalk(commits, new ObjectFlags(commits.objects.count), since);
  for (const commit of not) walk.have(commit);
  for (const commit of wants) walk.want(commit);
  const list = yield* walk.run();
  const selected = new Set<number>();
  for (let i = 0; i < list.length; i++) selected.add(list.get(i));
  return selected;
}
