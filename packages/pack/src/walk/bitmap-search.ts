import { BitSet } from "../format/bit-set.ts";
import { sortPositions } from "../format/sort-positions.ts";
import type { BitmapOrder } from "./bitmap-order.ts";
import { CommitQueue } from "./commit-queue.ts";
import { type CommitTable, MISSING } from "./commit-table.ts";
import { missingObject } from "./selection.ts";

/** Steps between two breaths: one for each commit that is looked at, more for what takes longer. */
const BREATH = 8192;
const COMMIT_STEPS = 32;
const BITMAP_STEPS = 1024;

/** What bitmaps tell of what one side reaches. */
interface BitmapReach {
  /** Objects, by their bits. */
  readonly bits: BitSet;
  /** Commits on the way to those that have a bitmap. What they reach beside `bits` is still to be looked for. */
  readonly above: readonly number[];
}

/** What a fetch needs, as far as bitmaps tell. */
export interface BitmapAnswer {
  readonly had: BitmapReach;
  /** Its bits are without those that are had. */
  readonly wanted: BitmapReach;
  readonly trees: BitSet;
  readonly blobs: BitSet;
}

/**
 * What `wants` reach and `haves` do not. Yields now and then.
 * @returns `undefined` when the bitmaps turn out broken
 * @throws PackError `pack/missing-object`
 */
export function* answerByBitmaps(
  order: BitmapOrder,
  commits: CommitTable,
  wants: readonly number[],
  haves: readonly number[],
): Generator<undefined, BitmapAnswer | undefined> {
  yield* order.prepare();
  const had = yield* reachByBitmaps(order, commits, haves, { lenient: true });
  const wanted = had && (yield* reachByBitmaps(order, commits, wants, { had: had.bits }));
  const trees = order.type("tree");
  const blobs = order.type("blob");
  if (had === undefined || wanted === undefined || trees === undefined || blobs === undefined)
    return undefined;
  wanted.bits.remove(had.bits);
  return { had, wanted, trees, blobs };
}

/**
 * Finds what `starts` reach: commits are walked down from them until there are bitmaps. Yields now and then.
 * @param had bits that need not be looked for
 * @param lenient a commit may lack parents: what the other side lacks below what it has is its own affair
 * @returns `undefined` when the bitmaps turn out broken
 * @throws PackError `pack/missing-object`
 */
function* reachByBitmaps(
  order: BitmapOrder,
  commits: CommitTable,
  starts: readonly number[],
  options: { readonly had?: BitSet; readonly lenient?: boolean } = {},
): Generator<undefined, BitmapReach | undefined> {
  const bits = new BitSet(order.bitmaps.count);
  const scratch = new BitSet(order.bitmaps.count);
  const above: number[] = [];
  const queue = new CommitQueue();
  const queued = new Set<number>();
  let isBroken = false;
  let steps = 0;

  /** Whether all that the commit reaches is in `bits` now, or in `had`. */
  const covers = (commit: number): boolean => {
    const bit = order.bitOf(commit);
    if (bit < 0) return false;
    if (bits.has(bit) || options.had?.has(bit)) return true;
    const added = order.addReach(commit, bits, scratch);
    if (added === undefined) isBroken = true;
    if (added) steps += BITMAP_STEPS;
    return added === true;
  };
  const visit = (commit: number): void => {
    steps++;
    if (queued.has(commit) || covers(commit)) return;
    queued.add(commit);
    queue.push(commit, commits.time(commit));
  };

  for (const commit of youngestFirst(order, starts)) {
    visit(commit);
    if (isBroken) break;
    if (steps >= BREATH) yield;
    steps %= BREATH;
  }
  for (let commit = queue.pop(); commit >= 0 && !isBroken; commit = queue.pop()) {
    if (covers(commit)) continue; // by a bitmap that was added since
    above.push(commit);
    steps += COMMIT_STEPS;
    for (const parent of commits.parents(commit)) {
      if (parent !== MISSING) visit(parent);
      else if (!options.lenient) throw missingObject(`a parent of commit ${commits.objects.id(commit)}`);
    }
    if (steps >= BREATH) yield;
    steps %= BREATH;
  }
  return isBroken ? undefined : { bits, above };
}

/** In the order of the pack, which mostly has the youngest first: what they reach needs no bitmap of its own. */
function youngestFirst(order: BitmapOrder, commits: readonly number[]): number[] {
  const keys = commits.map((commit) => order.bitOf(commit) + 1);
  return Array.from(
    sortPositions(commits.length, (i) => keys[i] as number),
    (i) => commits[i] as number,
  );
}
