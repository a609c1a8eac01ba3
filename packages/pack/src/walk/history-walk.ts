import { PackError } from "../errors.ts";
import { CommitQueue } from "./commit-queue.ts";
import { type CommitTable, MISSING } from "./commit-table.ts";
import { IntList, type ObjectFlags } from "./object-notes.ts";

/** Notes that a walk makes on objects. */
export const SEEN = 1;
/** The other side has it. */
export const UNINTERESTING = 2;
/** It is part of the answer. */
export const SELECTED = 4;
const QUEUED = 8;

/** How many commits are looked at beyond the point where all seems known, against clocks that were wrong. */
const SLOP = 5;

/** Steps between two breaths of a walk. */
export const BREATH = 512;

/**
 * Walks history from what is wanted down to what the other side has, the youngest commits first, and paints what it has
 * UNINTERESTING on the way. Wrong clocks may make it find more than need be, never less.
 */
export class HistoryWalk {
  readonly commits: CommitTable;
  readonly flags: ObjectFlags;
  readonly #queue = new CommitQueue();
  /** Commits in the queue that are wanted. */
  #wanted = 0;
  readonly #since: number;

  /** @param since older commits count as had. Unit: seconds since 1970. */
  constructor(commits: CommitTable, flags: ObjectFlags, since: number = -Infinity) {
    this.commits = commits;
    this.flags = flags;
    this.#since = since;
  }

  want(commit: number): void {
    this.#enqueue(commit);
  }

  have(commit: number): void {
    this.#paint(commit);
    this.#enqueue(commit);
  }

  #enqueue(commit: number): void {
    const flags = this.flags.get(commit);
    if (flags & SEEN) return;
    this.#queue.push(commit, this.commits.time(commit));
    this.flags.set(commit, SEEN | QUEUED);
    if ((flags & UNINTERESTING) === 0) this.#wanted++;
  }

  /** Marks a commit as had, and so all that it is already known to reach. */
  #paint(commit: number): void {
    const pending = [commit];
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      const flags = this.flags.get(next);
      if (flags & UNINTERESTING) continue;
      this.flags.set(next, UNINTERESTING);
      if (flags & QUEUED) this.#wanted--;
      else if (flags & SEEN)
        for (const parent of this.commits.parents(next)) if (parent !== MISSING) pending.push(parent);
    }
  }

  /**
   * Runs the walk. Yields now and then; the value means nothing.
   * @returns the wanted commits, youngest first
   * @throws PackError `pack/missing-object` when a wanted commit's parent is not stored
   */
  *run(): Generator<undefined, IntList> {
    const met = new IntList();
    let slop = SLOP;
    let steps = 0;
    for (let commit = this.#queue.pop(); commit >= 0; commit = this.#queue.pop()) {
      if (++steps % BREATH === 0) yield;
      if (this.commits.time(commit) < this.#since) this.#paint(commit);
      const flags = this.flags.get(commit);
      this.flags.clear(commit, QUEUED);
      if (flags & UNINTERESTING) {
        for (const parent of this.commits.parents(commit)) {
          if (parent === MISSING) continue; // what the other side lacks below what it has is its own affair
          this.#paint(parent);
          this.#enqueue(parent);
        }
      } else {
        this.#wanted--;
        met.push(commit);
        for (const parent of this.commits.parents(commit)) {
          if (parent === MISSING) {
            const id = this.commits.objects.id(commit);
            throw new PackError("pack/missing-object", `a parent of commit ${id} is missing`, { id });
          }
          this.#enqueue(parent);
        }
      }
      if (this.#wanted > 0) slop = SLOP;
      else if (--slop < 0) break;
    }
    const wanted = new IntList();
    for (let i = 0; i < met.length; i++)
      if ((this.flags.get(met.get(i)) & UNINTERESTING) === 0) wanted.push(met.get(i));
    return wanted;
  }
}
