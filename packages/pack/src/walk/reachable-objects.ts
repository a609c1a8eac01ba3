import { ObjectsError, parseTagTarget } from "@x/objects";
import { PackError } from "../errors.ts";
import { CommitQueue } from "./commit-queue.ts";
import { type CommitTable, MISSING } from "./commit-table.ts";
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

/** Commits that make a step. */
const COMMITS_AT_ONCE = 16;

/** Steps after which what is sought is looked for among what was met. */
const STEPS_AT_ONCE = 64;

/**
 * What some tips reach, of any type. Finding goes only as far as it has to, and where it ended the next one goes on, so
 * that all together take one walk; they may take turns. It looks first where a partial clone mostly asks: at the trees of
 * the tips, the youngest before the others, and then at those of their history in the same order. What is not stored leads
 * nowhere.
 */
export class ReachableObjects {
  readonly #commits: CommitTable;
  readonly #flags: ObjectFlags;
  /** `undefined` when there is nothing to scan any more: it remembers much. */
  #scanner: TreeScanner | undefined;
  /** Commits and tags that are yet to be met, the next one last. */
  readonly #tips: number[];
  /** The commits among the tips, as long as their trees were not looked at. */
  #tipCommits: number[] = [];
  readonly #queue = new CommitQueue();
  #batch = FIRST_COMMITS;
  /** Commits of the history that are looked at before the next trees are. */
  #batchLeft = 0;
  #trees = new TreeLevel();
  /** The trees that are being opened. */
  #level: ReturnType<TreeLevel["inOrder"]> | undefined;

  constructor(commits: CommitTable, tips: Iterable<number>) {
    this.#commits = commits;
    this.#flags = new ObjectFlags(commits.objects.count);
    this.#tips = [...tips];
  }

  /**
   * Those of `sought` that no tip reaches. Yields now and then.
   * @throws PackError when an object on the way cannot be read
   */
  *unreachable(sought: Iterable<number>): Generator<undefined, Set<number>> {
    const left = new Set(sought);
    for (;;) {
      for (const number of left) if (this.#flags.get(number) & MET) left.delete(number);
      if (left.size === 0) return left;
      for (let step = 0; step < STEPS_AT_ONCE; step++) {
        if (this.#step()) continue;
        this.#scanner = undefined;
        return this.#notMet(left);
      }
      yield;
    }
  }

  #notMet(numbers: Iterable<number>): Set<number> {
    return new Set([...numbers].filter((number) => (this.#flags.get(number) & MET) === 0));
  }

  /** @returns false when there is nothing left to do */
  #step(): boolean {
    const tip = this.#tips.pop();
    if (tip !== undefined) this.#meetTip(tip);
    else if (this.#level !== undefined) {
      const next = this.#level.next();
      if (next.done) this.#level = undefined;
      else if (next.value !== undefined) this.#open(next.value.tree);
    } else if (this.#trees.length > 0 && this.#batchLeft === 0) {
      this.#level = this.#trees.inOrder(this.#commits.objects);
      this.#trees = new TreeLevel();
    } else return this.#nextCommits();
    return true;
  }

  #nextCommits(): boolean {
    if (this.#tipCommits.length > 0) {
      if (this.#batch === FIRST_COMMITS) this.#tipCommits.sort((a, b) => this.#age(b) - this.#age(a));
      for (const tip of this.#tipCommits.splice(0, this.#batch)) this.#meetTreeOf(tip);
      this.#batch = this.#tipCommits.length > 0 ? this.#batch * 2 : FIRST_COMMITS;
      return true;
    }
    if (this.#batchLeft === 0) {
      this.#batchLeft = Math.min(this.#batch, this.#queue.size);
      this.#batch *= 2;
    }
    const count = Math.min(this.#batchLeft, COMMITS_AT_ONCE);
    for (let i = 0; i < count; i++) this.#lookAt(this.#queue.pop());
    this.#batchLeft = Math.min(this.#batchLeft - count, this.#queue.size);
    return count > 0;
  }

  #age(commit: number): number {
    return this.#commits.time(commit);
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
    return true;
  }

  #meetTip(tip: number): void {
    const { objects } = this.#commits;
    try {
      if (!this.#meet(tip)) return;
      const { type } = objects.header(tip);
      if (type === "commit") {
        this.#queue.push(tip, this.#commits.time(tip));
        this.#tipCommits.push(tip);
      } else if (type === "tree") this.#meetTree(tip);
      else if (type === "tag") {
        const target = objects.findId(parseTagTarget(objects.read(tip).data, objects.format).id);
        if (target >= 0) this.#tips.push(target);
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

  #open(tree: number): void {
    const { objects } = this.#commits;
    this.#scanner ??= new TreeScanner(objects);
    this.#scanner.scan(tree, (data, type, _, idAt) => {
      if (type === GITLINK) return;
      const number = objects.find(data, idAt);
      if (number < 0) return;
      if (type === TREE) this.#meetTree(number);
      else this.#meet(number);
    });
  }
}
