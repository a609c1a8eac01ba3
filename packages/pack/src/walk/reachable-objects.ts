import { ObjectsError, objectIdToBytes, parseTagTarget } from "@x/objects";
import { PackError } from "../errors.ts";
import { CommitQueue } from "./commit-queue.ts";
import { type CommitTable, MISSING } from "./commit-table.ts";
import { BREATH } from "./history-walk.ts";
import { ObjectFlags } from "./object-notes.ts";
import { ALL } from "./sparse-places.ts";
import { TreeLevel } from "./tree-levels.ts";
import { TreeScanner } from "./tree-scanner.ts";

const MET = 1;
/** It was, or will be, looked into as a tree: what merely names it as a file does not lead into it. */
const OPENED = 2;

const TREE = 0o040000;
const GITLINK = 0o160000;

/** Commits whose trees are looked through first; twice as many after that, and so on. */
const FIRST_COMMITS = 8;

/**
 * Objects of `sought`, of any type, that none of `tips`, of any type, reaches. The walk ends as soon as all are found, and
 * looks first where a partial clone mostly asks: at the trees of the tips, the youngest before the others, and then at
 * those of their history in the same order. Yields now and then. What is not stored leads nowhere.
 * @throws PackError when an object on the way cannot be read
 */
export function* unreachableObjects(
  commits: CommitTable,
  sought: ReadonlySet<number>,
  tips: Iterable<number>,
): Generator<undefined, Set<number>> {
  const search = new Search(commits, sought);
  yield* search.run(tips);
  return search.left;
}

class Search {
  /** What is not found yet. */
  readonly left: Set<number>;
  readonly #commits: CommitTable;
  readonly #flags: ObjectFlags;
  readonly #queue = new CommitQueue();
  readonly #scanner: TreeScanner;
  /** The first four bytes of the ids of {@link left}: most entries of trees need not be looked up. */
  readonly #starts: Set<number> = new Set();
  #trees = new TreeLevel();
  /** The commits among the tips. */
  readonly #tips: number[] = [];

  constructor(commits: CommitTable, sought: ReadonlySet<number>) {
    this.left = new Set(sought);
    this.#commits = commits;
    this.#flags = new ObjectFlags(commits.objects.count);
    this.#scanner = new TreeScanner(commits.objects);
    for (const number of sought) this.#starts.add(startOf(objectIdToBytes(commits.objects.id(number)), 0));
  }

  *run(tips: Iterable<number>): Generator<undefined, void> {
    let steps = 0;
    for (const tip of tips) {
      if (++steps % BREATH === 0) yield;
      this.#meetTip(tip);
    }
    yield* this.#openTrees();
    const commits = this.#commits;
    const byAge = this.#tips.sort((a, b) => commits.time(b) - commits.time(a));
    for (let at = 0, batch = FIRST_COMMITS; this.left.size > 0 && at < byAge.length; batch *= 2) {
      for (const tip of byAge.slice(at, at + batch)) this.#meetTreeOf(tip);
      at += batch;
      yield* this.#openTrees();
    }
    for (let batch = FIRST_COMMITS; this.left.size > 0 && this.#queue.size > 0; batch *= 2) {
      for (let i = 0; i < batch && this.#queue.size > 0; i++) {
        if (++steps % BREATH === 0) yield;
        this.#lookAt(this.#queue.pop());
      }
      yield* this.#openTrees();
    }
  }

  #meetTreeOf(commit: number): void {
    const tree = this.#commits.tree(commit);
    if (tree !== MISSING) this.#meetTree(tree);
  }

  #meetTree(tree: number): void {
    this.#meet(tree);
    if (this.#flags.get(tree) & OPENED) return;
    this.#flags.set(tree, OPENED);
    this.#trees.push(tree, ALL);
  }

  /** @returns whether that is news */
  #meet(number: number): boolean {
    if (this.#flags.get(number) & MET) return false;
    this.#flags.set(number, MET);
    this.left.delete(number);
    return true;
  }

  #meetTip(tip: number): void {
    const { objects } = this.#commits;
    try {
      for (let number = tip; number >= 0 && this.#meet(number); ) {
        const { type } = objects.header(number);
        if (type === "commit") {
          this.#queue.push(number, this.#commits.time(number));
          this.#tips.push(number);
        }
        if (type === "tree") this.#meetTree(number);
        if (type !== "tag") return;
        number = objects.findId(parseTagTarget(objects.read(number).data, objects.format).id);
      }
    } catch (error) {
      // One broken tip must not hide what the others reach.
      if (!(error instanceof ObjectsError || error instanceof PackError)) throw error;
    }
  }

  #lookAt(commit: number): void {
    this.#meetTreeOf(commit);
    for (const parent of this.#commits.parents(commit))
      if (parent !== MISSING && this.#meet(parent)) this.#queue.push(parent, this.#commits.time(parent));
  }

  *#openTrees(): Generator<undefined, void> {
    let steps = 0;
    while (this.#trees.length > 0 && this.left.size > 0) {
      const level = this.#trees;
      this.#trees = new TreeLevel();
      for (const next of level.inOrder(this.#commits.objects)) {
        if (next === undefined || ++steps % BREATH === 0) yield;
        if (next !== undefined) this.#open(next.tree);
        if (this.left.size === 0) return;
      }
    }
  }

  #open(tree: number): void {
    const { objects } = this.#commits;
    this.#scanner.scan(tree, (data, type, _, idAt) => {
      if (type === GITLINK || (type !== TREE && !this.#starts.has(startOf(data, idAt)))) return;
      const number = objects.find(data, idAt);
      if (number < 0) return;
      if (type === TREE) this.#meetTree(number);
      else this.#meet(number);
    });
  }
}

function startOf(id: Uint8Array, at: number): number {
  const high = ((id[at] as number) << 8) | (id[at + 1] as number);
  return high * 0x10000 + (((id[at + 2] as number) << 8) | (id[at + 3] as number));
}
