import {
  type ObjectFilter,
  type ObjectId,
  ObjectsError,
  objectIdFromBytes,
  parseCommitLinks,
} from "@x/objects";
import { PackError } from "../errors.ts";
import { sortPositionsInSteps } from "../format/sort-positions.ts";
import type { ObjectTable } from "../read/object-table.ts";
import { BitmapOrder } from "./bitmap-order.ts";
import { answerByBitmaps, type BitmapAnswer } from "./bitmap-search.ts";
import { CommitTable, MISSING } from "./commit-table.ts";
import { isEmptyTree } from "./empty-tree.ts";
import { type FilterPlan, planFilter } from "./filter-plan.ts";
import { firstDone } from "./first-done.ts";
import { BREATH, HistoryWalk, SEEN, SELECTED, UNINTERESTING } from "./history-walk.ts";
import { IntList, ObjectFlags } from "./object-notes.ts";
import { PathNotes } from "./path-notes.ts";
import { missingObject, SelectedObjects, type Selection, type TagEnds } from "./selection.ts";
import { ALL, NONE } from "./sparse-places.ts";
import { TreeLevel } from "./tree-levels.ts";
import { TreeScanner } from "./tree-scanner.ts";
import { TreeVisits } from "./tree-visits.ts";

/** Wants and haves between two breaths: their tags are read, from all over the packs. */
const TIPS_AT_ONCE = 64;

const TREE = 0o040000;
const GITLINK = 0o160000;

/** It was met as a tree. Stands beside the notes of {@link HistoryWalk}. */
const MET_AS_TREE = 16;
/** It was, or will be, looked into with nothing below it left out for its path. */
const OPEN_EVERYWHERE = 32;
/** It was met as a blob, and is one. */
const IS_BLOB = 64;

/** What to find, in numbers of an {@link ObjectTable}. */
export interface EnumerateRequest {
  readonly wants: readonly number[];
  readonly haves: readonly number[];
  /** Commits taken to have no parents. */
  readonly shallow?: ReadonlySet<number>;
  /** Note for each object which one under the same path the other side has, for making deltas. */
  readonly likeness?: boolean;
  readonly filter?: ObjectFilter | undefined;
  /** Trees that may be looked into, each as often as it is. */
  readonly maxTreeVisits?: number | undefined;
  /** Entries of trees need not be stored. */
  readonly allowMissing?: boolean | undefined;
  /** Believe no bitmaps: for finding out whether anything is missing. */
  readonly withoutBitmaps?: boolean | undefined;
  /** How many trees below each other a root tree may have. */
  readonly maxTreeDepth?: number | undefined;
  /** See that whatever a tree names as a blob is one, and a tag's object what the tag says: for what others have made. */
  readonly checkTypes?: boolean | undefined;
}

/**
 * Finds every object that `wants` reach and `haves` do not, as `git rev-list --objects` does. What a filter leaves out
 * need not be stored. Yields the count so far now and then, so that the caller can breathe.
 * @throws PackError `pack/missing-object` when one on the way is not stored; `pack/limit-exceeded`
 */
export function* enumerateObjects(
  table: ObjectTable,
  request: EnumerateRequest,
): Generator<number, Selection> {
  const enumeration = new Enumeration(table, request);
  yield* enumeration.run(request);
  enumeration.selected.settle();
  return enumeration.selected;
}

class Enumeration {
  /** Outlives the walk and its notes. */
  readonly selected: SelectedObjects;
  readonly #table: ObjectTable;
  readonly #commits: CommitTable;
  readonly #flags: ObjectFlags;
  readonly #walk: HistoryWalk;
  readonly #scanner: TreeScanner;
  readonly #plan: FilterPlan;
  readonly #sendsTrees: boolean;
  readonly #sendsBlobs: boolean;
  readonly #visits: TreeVisits;
  readonly #allowsMissing: boolean;
  readonly #checksTypes: boolean;
  readonly #maxTreeDepth: number;
  readonly #bitmaps: BitmapOrder | undefined;
  /** Commits that are wanted, and had. */
  readonly #wanted: Set<number> = new Set();
  readonly #had: number[] = [];
  readonly #hadEnds: TagEnds = new Map();
  /** What the other side has and is not stored here. */
  readonly #hadElsewhere: Set<ObjectId> = new Set();
  /** Wanted trees and blobs. */
  readonly #others: number[] = [];
  /** Trees yet to be opened. */
  #trees = new TreeLevel();
  /** Steps from a root tree to those in {@link #trees}. A tree that is wanted by itself stands one step above. */
  #depth = -1;
  /** Blobs that may turn out too long. */
  readonly #unmeasured = new IntList();
  readonly #paths: PathNotes | undefined;
  /** Whether paths of what bitmaps tell is had are of use. */
  #notesAllPaths = true;

  constructor(table: ObjectTable, request: EnumerateRequest) {
    const { shallow, likeness, haves } = request;
    this.#table = table;
    this.#plan = planFilter(table, request.filter);
    this.#sendsTrees = this.#plan.types.has("tree");
    this.#sendsBlobs = this.#plan.types.has("blob");
    this.#visits = new TreeVisits(request.maxTreeVisits);
    this.#allowsMissing = request.allowMissing === true;
    this.#checksTypes = request.checkTypes === true;
    this.#maxTreeDepth = request.maxTreeDepth ?? Number.POSITIVE_INFINITY;
    this.#flags = new ObjectFlags(table.count);
    this.#commits = new CommitTable(table, shallow);
    this.#scanner = new TreeScanner(table);
    this.#paths = likeness && haves.length > 0 ? new PathNotes() : undefined;
    this.#walk = new HistoryWalk(this.#commits, this.#flags);
    this.selected = new SelectedObjects(table, this.#flags, this.#paths);
    this.#bitmaps = this.#canUseBitmaps(request) ? BitmapOrder.of(table) : undefined;
  }

  /** Bitmaps know nothing of paths, nor of commits that are taken to have no parents. */
  #canUseBitmaps({ shallow, withoutBitmaps }: EnumerateRequest): boolean {
    const { depth, places } = this.#plan;
    if (withoutBitmaps || (shallow !== undefined && shallow.size > 0)) return false;
    return (depth === 0 || depth === Infinity) && places.root === ALL && places.wanted === ALL;
  }

  #want(number: number): void {
    const end = this.selected.selectTag(number, this.#checksTypes);
    if (this.#table.header(end).type === "commit") this.#wanted.add(end);
    else this.#others.push(end);
  }

  *#have(number: number): Generator<number, void> {
    let end = number;
    try {
      end = this.selected.forTagChain(number, (tag) => this.#flags.set(tag, UNINTERESTING), this.#hadEnds);
    } catch (error) {
      // What the other side's tags point at need not be stored here, nor need they be well made.
      if (error instanceof ObjectsError) return;
      if (error instanceof PackError && error.code === "pack/missing-object") return;
      throw error;
    }
    const { type } = this.#table.header(end);
    if (type === "commit") this.#had.push(end);
    else if (type === "tree") yield* this.#forgetTree(end);
    else this.#flags.set(end, UNINTERESTING);
  }

  /** Whether anything more than `depth` steps from a root tree is looked for. */
  #looksBelow(depth: number): boolean {
    return depth + 1 < this.#plan.depth && (this.#sendsTrees || this.#sendsBlobs);
  }

  /** Selects a tree met at `depth` and has it opened, as far as that is to be done. @returns whether it is selected now */
  #meetTree(tree: number, place: number, depth: number, isWanted = false): boolean {
    const flags = this.#flags.get(tree);
    // Named as a blob, a commit or a tag elsewhere: then nobody looked into it. C git refuses that, too.
    if (flags & (SELECTED | UNINTERESTING) && (flags & MET_AS_TREE) === 0) {
      const id = this.#table.id(tree);
      throw new PackError("pack/malformed", `object ${id} is used as a tree and as something else`, { id });
    }
    if (flags & (UNINTERESTING | OPEN_EVERYWHERE)) return false;
    this.#flags.set(tree, MET_AS_TREE);
    const isNew = (this.#sendsTrees || isWanted) && this.selected.select(tree);
    const isNewPlace = place === NONE ? (flags & MET_AS_TREE) === 0 && this.#sendsTrees : true;
    if (isNewPlace && this.#looksBelow(depth) && this.#visits.add(tree, place)) {
      if (place === ALL) this.#flags.set(tree, OPEN_EVERYWHERE);
      this.#trees.push(tree, place);
    }
    return isNew;
  }

  *run(request: EnumerateRequest): Generator<number, void> {
    let steps = 0;
    for (const have of request.haves) {
      if (++steps % TIPS_AT_ONCE === 0) yield this.selected.count;
      yield* this.#have(have);
    }
    for (const want of request.wants) {
      if (++steps % TIPS_AT_ONCE === 0) yield this.selected.count;
      this.#want(want);
    }
    const commits = yield* this.#wantedCommits();
    yield* this.#forgetEdges(commits, request);
    const { places, types, depth } = this.#plan;
    for (const number of this.#others)
      if (this.#table.header(number).type === "tree") this.#meetTree(number, places.wanted, -1, true);
      else this.selected.select(number);
    yield* this.#openLevel();
    const opensRoots = depth > 0 && (this.#sendsTrees || this.#sendsBlobs);
    for (let i = 0; i < commits.length; i++) {
      if (++steps % BREATH === 0) yield this.selected.count;
      const commit = commits.get(i);
      if (types.has("commit") || this.#wanted.has(commit)) this.selected.select(commit);
      if (opensRoots) this.#meetRoot(commit);
    }
    while (this.#trees.length > 0) yield* this.#openLevel();
    yield* this.#dropLongBlobs();
  }

  #meetRoot(commit: number): void {
    const tree = this.#commits.tree(commit);
    if (tree === MISSING) {
      const id = parseCommitLinks(this.#table.read(commit).data, this.#table.format).tree;
      if (isEmptyTree(id, this.#table.format)) return;
      throw missingObject(`bad tree object ${id}, that of commit ${this.#table.id(commit)}`);
    }
    if (this.#meetTree(tree, this.#plan.places.root, 0)) this.#paths?.noteWantedRoot(tree);
  }

  /** The wanted commits whose trees are to be looked into: all, or those that bitmaps know nothing of. */
  *#wantedCommits(): Generator<number, IntList> {
    const search = firstDone(this.#askBitmaps(), this.#walkHistory());
    for (let step = search.next(); ; step = search.next()) {
      if (step.done) return step.value instanceof IntList ? step.value : yield* this.#take(step.value);
      yield this.selected.count;
    }
  }

  *#walkHistory(): Generator<undefined, IntList> {
    for (const commit of this.#had) this.#walk.have(commit);
    for (const commit of this.#wanted) this.#walk.want(commit);
    return yield* this.#walk.run();
  }

  *#askBitmaps(): Generator<undefined, BitmapAnswer | undefined> {
    if (this.#bitmaps === undefined) return undefined;
    return yield* answerByBitmaps(this.#bitmaps, this.#commits, [...this.#wanted], this.#had);
  }

  /** Notes and selects what bitmaps tell. @returns the wanted commits that they know nothing of */
  *#take({ had, wanted, trees, blobs }: BitmapAnswer): Generator<number, IntList> {
    const order = this.#bitmaps as BitmapOrder;
    this.#notesAllPaths = wanted.above.length > 0;
    if (this.#had.length > 0)
      this.#flags.addNotes((number) => {
        const bit = order.bitOf(number);
        if (bit < 0 || !had.bits.has(bit)) return 0;
        return trees.has(bit) ? UNINTERESTING | MET_AS_TREE : UNINTERESTING;
      });
    for (const commit of had.above) {
      this.#flags.set(commit, UNINTERESTING);
      const tree = this.#commits.tree(commit);
      if (tree !== MISSING) yield* this.#forgetTree(tree);
    }
    const { types, depth, blobBytes } = this.#plan;
    const sendsCommits = types.has("commit");
    let steps = 0;
    for (let bit = wanted.bits.next(0); bit >= 0; bit = wanted.bits.next(bit + 1)) {
      if (++steps % (64 * BREATH) === 0) yield this.selected.count;
      const number = order.numberOf(bit);
      if (trees.has(bit)) {
        if (this.#sendsTrees && depth > 0) this.selected.select(number);
        this.#flags.set(number, MET_AS_TREE | OPEN_EVERYWHERE);
      } else if (!blobs.has(bit)) {
        if (sendsCommits || this.#wanted.has(number)) this.selected.select(number);
      } else if (this.#sendsBlobs && depth > 0 && this.selected.select(number))
        if (blobBytes < Infinity) this.#unmeasured.push(number);
    }
    const commits = new IntList();
    for (const commit of wanted.above) commits.push(commit);
    return commits;
  }

  /** Opens the trees that were met one step further up: so each is first met where it is nearest to a root. */
  *#openLevel(): Generator<number, void> {
    const level = this.#trees;
    if (level.length > 0 && this.#depth > this.#maxTreeDepth)
      throw new PackError("pack/limit-exceeded", "exceeded maximum allowed tree depth");
    this.#trees = new TreeLevel();
    let steps = 0;
    for (const next of level.inOrder(this.#table)) {
      if (next === undefined || ++steps % BREATH === 0) yield this.selected.count;
      if (next !== undefined) this.#openTree(next.tree, next.place);
    }
    this.#depth++;
  }

  #openTree(tree: number, place: number): void {
    const { places, blobBytes } = this.#plan;
    const depth = this.#depth + 1;
    const meetsTrees = this.#sendsTrees || this.#looksBelow(depth);
    this.#visits.count();
    this.#scanner.scan(
      tree,
      (data, type, nameAt, idAt) => {
        const isTree = type === TREE;
        if (type === GITLINK || (isTree ? !meetsTrees : !this.#sendsBlobs)) return;
        if (!isTree && !places.selects(place, data, nameAt, idAt - 1)) return;
        const number = this.#entry(tree, data, idAt, isTree);
        if (number < 0) return;
        if (this.#checksTypes && !isTree) this.#checkBlob(number);
        const isNew = isTree
          ? this.#meetTree(number, places.below(place, data, nameAt, idAt - 1), depth)
          : this.selected.select(number);
        if (!isNew) return;
        if (!isTree && blobBytes < Infinity) this.#unmeasured.push(number);
        this.#paths?.noteWanted(number, tree, data, nameAt, idAt - 1);
      },
      place,
    );
  }

  /** @throws PackError `pack/malformed` */
  #checkBlob(number: number): void {
    const flags = this.#flags.get(number);
    if (flags & IS_BLOB) return;
    if ((flags & MET_AS_TREE) === 0 && this.#table.header(number).type === "blob") {
      this.#flags.set(number, IS_BLOB);
      return;
    }
    const id = this.#table.id(number);
    throw new PackError("pack/malformed", `object ${id} is used as a blob and is none`, { id });
  }

  /** The object that an entry of a wanted tree names; -1 when only the other side has it, or others do. */
  #entry(tree: number, data: Uint8Array, idAt: number, isTree: boolean): number {
    const number = this.#table.find(data, idAt);
    if (number >= 0 || this.#allowsMissing) return number;
    const id = objectIdFromBytes(data, this.#table.format, idAt);
    if (!this.#hadElsewhere.has(id) && !(isTree && isEmptyTree(id, this.#table.format)))
      throw missingObject(
        `${isTree ? "bad tree object" : "unable to read"} ${id}, an entry of ${this.#table.id(tree)}`,
      );
    return number;
  }

  /** Sizes are looked up last, and in the order in which the blobs lie. */
  *#dropLongBlobs(): Generator<number, void> {
    const blobs = this.#unmeasured;
    const wanted = new Set(this.#others);
    let steps = 0;
    const sort = sortPositionsInSteps(blobs.length, (i) => this.#table.locality(blobs.get(i)));
    let sorted = sort.next();
    for (; !sorted.done; sorted = sort.next()) yield this.selected.count;
    for (const i of sorted.value) {
      if (++steps % BREATH === 0) yield this.selected.count;
      const blob = blobs.get(i);
      if (this.#table.size(blob) >= this.#plan.blobBytes && !wanted.has(blob)) this.selected.drop(blob);
    }
  }

  /** Marks what the other side surely has: the trees of the commits where the two histories meet. */
  *#forgetEdges(commits: IntList, request: EnumerateRequest): Generator<number, void> {
    const edges = new Set<number>();
    for (let i = 0; i < commits.length; i++) {
      if (i % BREATH === 0) yield this.selected.count;
      for (const parent of this.#commits.parents(commits.get(i)))
        if (this.#flags.get(parent) & UNINTERESTING) edges.add(parent);
    }
    // Across a shallow boundary the histories do not meet, but the trees are much alike.
    if (request.shallow !== undefined && request.shallow.size > 0)
      for (const have of request.haves) if (this.#flags.get(have) & SEEN) edges.add(have);
    for (const edge of edges) {
      const tree = this.#commits.tree(edge);
      if (tree !== MISSING) yield* this.#forgetTree(tree);
    }
  }

  *#forgetTree(root: number): Generator<number, void> {
    this.#paths?.noteHadRoot(root);
    const pending = [root];
    let steps = 0;
    for (let tree = pending.pop(); tree !== undefined; tree = pending.pop()) {
      // Bitmaps tell what is had, but not at which path.
      const flags = this.#paths && this.#notesAllPaths ? this.#flags.own(tree) : this.#flags.get(tree);
      if (flags & MET_AS_TREE) continue;
      if (++steps % BREATH === 0) yield this.selected.count;
      this.#visits.count();
      this.#flags.set(tree, UNINTERESTING | MET_AS_TREE);
      this.#scanner.scan(tree, (data, type, nameAt, idAt) => {
        if (type === GITLINK) return;
        const number = this.#table.find(data, idAt);
        if (number < 0) {
          this.#hadElsewhere.add(objectIdFromBytes(data, this.#table.format, idAt));
          return;
        }
        this.#paths?.noteHad(number, tree, data, nameAt, idAt - 1);
        if (type === TREE) pending.push(number);
        else this.#flags.set(number, UNINTERESTING);
      });
    }
  }
}
