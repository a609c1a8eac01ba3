import { type ObjectId, ObjectsError, objectIdFromBytes } from "@x/objects";
import { PackError } from "../errors.ts";
import { sortPositions } from "../format/sort-positions.ts";
import type { ObjectTable } from "../read/object-table.ts";
import { CommitTable, MISSING } from "./commit-table.ts";
import { BREATH, HistoryWalk, SEEN, SELECTED, UNINTERESTING } from "./history-walk.ts";
import { IntList, ObjectFlags } from "./object-notes.ts";
import { PathNotes } from "./path-notes.ts";
import { missingObject, SelectedObjects, type Selection } from "./selection.ts";
import { TreeScanner } from "./tree-scanner.ts";

const TREE = 0o040000;
const GITLINK = 0o160000;

/** It was, or will be, looked into as a tree. Stands beside the notes of {@link HistoryWalk}. */
const LOOKED_INTO = 16;

/** What to find, in numbers of an {@link ObjectTable}. */
export interface EnumerateRequest {
  readonly wants: readonly number[];
  readonly haves: readonly number[];
  /** Commits taken to have no parents. */
  readonly shallow?: ReadonlySet<number>;
  /** Note for each object which one under the same path the other side has, for making deltas. */
  readonly likeness?: boolean;
}

/**
 * Finds every object that `wants` reach and `haves` do not, as `git rev-list --objects` does. Yields the count so far now
 * and then, so that the caller can breathe.
 * @throws PackError `pack/missing-object` when one on the way is not stored
 */
export function* enumerateObjects(
  table: ObjectTable,
  request: EnumerateRequest,
): Generator<number, Selection> {
  const enumeration = new Enumeration(table, request);
  yield* enumeration.run(request);
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
  /** What the other side has and is not stored here. */
  readonly #hadElsewhere: Set<ObjectId> = new Set();
  /** Wanted trees and blobs. */
  readonly #others: number[] = [];
  /** Trees yet to be opened. */
  #trees = new IntList();
  readonly #paths: PathNotes | undefined;

  constructor(table: ObjectTable, { shallow, likeness, haves }: EnumerateRequest) {
    this.#table = table;
    this.#flags = new ObjectFlags(table.count);
    this.#commits = new CommitTable(table, shallow);
    this.#scanner = new TreeScanner(table);
    this.#paths = likeness && haves.length > 0 ? new PathNotes() : undefined;
    this.#walk = new HistoryWalk(this.#commits, this.#flags);
    this.selected = new SelectedObjects(table, this.#flags, this.#paths);
  }

  #want(number: number): void {
    const end = this.selected.selectTag(number);
    if (this.#table.header(end).type === "commit") this.#walk.want(end);
    else this.#others.push(end);
  }

  *#have(number: number): Generator<number, void> {
    let end = number;
    try {
      end = this.selected.forTagChain(number, (tag) => this.#flags.set(tag, UNINTERESTING));
    } catch (error) {
      // What the other side's tags point at need not be stored here, nor need they be well made.
      if (error instanceof ObjectsError) return;
      if (error instanceof PackError && error.code === "pack/missing-object") return;
      throw error;
    }
    const { type } = this.#table.header(end);
    if (type === "commit") this.#walk.have(end);
    else if (type === "tree") yield* this.#forgetTree(end);
    else this.#flags.set(end, UNINTERESTING);
  }

  /** Selects a tree and has it opened; false when that was done or the other side has it. */
  #selectTree(number: number): boolean {
    const flags = this.#flags.get(number);
    if ((flags & (SELECTED | UNINTERESTING)) === 0) {
      this.selected.select(number, LOOKED_INTO);
      this.#trees.push(number);
      return true;
    }
    // Named as a blob, a commit or a tag elsewhere: then nobody looked into it. C git refuses that, too.
    if ((flags & LOOKED_INTO) === 0) {
      const id = this.#table.id(number);
      throw new PackError("pack/malformed", `object ${id} is used as a tree and as something else`, { id });
    }
    return false;
  }

  *run(request: EnumerateRequest): Generator<number, void> {
    let steps = 0;
    for (const have of request.haves) {
      if (++steps % BREATH === 0) yield this.selected.count;
      yield* this.#have(have);
    }
    for (const want of request.wants) {
      if (++steps % BREATH === 0) yield this.selected.count;
      this.#want(want);
    }
    const commits = yield* this.#wantedCommits();
    yield* this.#forgetEdges(commits, request);
    for (const number of this.#others)
      if (this.#table.header(number).type === "tree") this.#selectTree(number);
      else this.selected.select(number);
    for (let i = 0; i < commits.length; i++) {
      if (++steps % BREATH === 0) yield this.selected.count;
      const commit = commits.get(i);
      this.selected.select(commit);
      const tree = this.#commits.tree(commit);
      if (tree === MISSING) throw missingObject(`tree of commit ${this.#table.id(commit)}`);
      if (this.#selectTree(tree)) this.#paths?.noteWantedRoot(tree);
    }
    yield* this.#openTrees();
  }

  *#wantedCommits(): Generator<number, IntList> {
    const walk = this.#walk.run();
    for (let step = walk.next(); ; step = walk.next()) {
      if (step.done) return step.value;
      yield this.selected.count;
    }
  }

  /**
   * Opens the trees level by level, and those of a level in the order in which they lie. Reading then runs forward, and
   * a tree is mostly seen before those that are deltas of it, which the scanner needs to be quick.
   */
  *#openTrees(): Generator<number, void> {
    const table = this.#table;
    let steps = 0;
    while (this.#trees.length > 0) {
      const level = this.#trees;
      this.#trees = new IntList();
      for (const i of sortPositions(level.length, (i) => table.locality(level.get(i)))) {
        if (++steps % BREATH === 0) yield this.selected.count;
        this.#openTree(level.get(i));
      }
    }
  }

  #openTree(tree: number): void {
    const table = this.#table;
    const paths = this.#paths;
    this.#scanner.scan(tree, (data, type, nameAt, idAt) => {
      if (type === GITLINK) return;
      const number = table.find(data, idAt);
      if (number < 0) {
        const id = objectIdFromBytes(data, table.format, idAt);
        if (this.#hadElsewhere.has(id)) return;
        throw missingObject(`entry ${id} of tree ${table.id(tree)}`);
      }
      const isNew = type === TREE ? this.#selectTree(number) : this.selected.select(number);
      if (isNew) paths?.noteWanted(number, tree, data, nameAt, idAt - 1);
    });
  }

  /** Marks what the other side surely has: the trees of the commits where the two histories meet. */
  *#forgetEdges(commits: IntList, request: EnumerateRequest): Generator<number, void> {
    const edges = new Set<number>();
    for (let i = 0; i < commits.length; i++)
      for (const parent of this.#commits.parents(commits.get(i)))
        if (this.#flags.get(parent) & UNINTERESTING) edges.add(parent);
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
      if (this.#flags.get(tree) & LOOKED_INTO) continue;
      if (++steps % BREATH === 0) yield this.selected.count;
      this.#flags.set(tree, UNINTERESTING | LOOKED_INTO);
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
