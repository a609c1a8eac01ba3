import { committerTime, rawIdLength } from "@x/objects";
import { PackError } from "../errors.ts";
import type { CommitGraph } from "../read/commit-graph.ts";
import type { ObjectTable } from "../read/object-table.ts";
import { IntList } from "./object-notes.ts";

/** Stands in the place of a parent or tree that is not stored. */
export const MISSING = -1;

/** Stands in the place of a tree that was not looked up yet. */
const UNKNOWN = -2;

/**
 * Links and times of the commits that were looked at, in typed arrays: about 40 bytes a commit. Nothing is read twice, and
 * what the commit-graph tells is not read at all.
 * Spec: git-commit-tree for the layout; ids are taken from their hex without making strings.
 */
export class CommitTable {
  readonly objects: ObjectTable;
  readonly #parentless: ReadonlySet<number>;
  /** Object number → slot. */
  readonly #slots: Map<number, number> = new Map();
  readonly #trees = new IntList();
  readonly #times: number[] = [];
  readonly #parentsAt = new IntList();
  readonly #parents = new IntList();
  readonly #graph: CommitGraph | undefined;
  /** Slot → position in the commit-graph, -1 for those that are not there. */
  readonly #positions = new IntList();
  readonly #id: Uint8Array;

  /** @param parentless commits whose parents are to be left out of account: a shallow boundary */
  constructor(objects: ObjectTable, parentless: ReadonlySet<number> = new Set()) {
    this.objects = objects;
    this.#parentless = parentless;
    this.#graph = objects.commitGraph;
    this.#id = new Uint8Array(rawIdLength(objects.format));
    this.#parentsAt.push(0);
  }

  /** Commits looked at so far. */
  get size(): number {
    return this.#positions.length;
  }

  /** Unit: seconds since 1970. */
  time(commit: number): number {
    return this.#times[this.#slot(commit)] as number;
  }

  /** The number of the commit's tree, or {@link MISSING}. */
  tree(commit: number): number {
    const slot = this.#slot(commit);
    const tree = this.#trees.get(slot);
    if (tree !== UNKNOWN) return tree;
    const raw = (this.#graph as CommitGraph).rawTree(this.#positions.get(slot));
    this.#trees.set(slot, this.objects.find(raw, 0));
    return this.#trees.get(slot);
  }

  /** Greater than that of every commit it leads to; `Infinity` for commits that no commit-graph tells of. */
  generation(commit: number): number {
    const position = this.#positions.get(this.#slot(commit));
    return position < 0 ? Infinity : (this.#graph as CommitGraph).generation(position);
  }

  /** The numbers of its parents, in order; {@link MISSING} where one is not stored. */
  parents(commit: number): number[] {
    const slot = this.#slot(commit);
    const parents: number[] = [];
    for (let i = this.#parentsAt.get(slot); i < this.#parentsAt.get(slot + 1); i++)
      parents.push(this.#parents.get(i));
    return parents;
  }

  #slot(commit: number): number {
    return this.#slots.get(commit) ?? this.#load(commit);
  }

  #load(commit: number): number {
    const graph = this.#graph;
    const position = graph?.find(this.objects.rawId(commit), 0) ?? -1;
    const parentless = this.#parentless.has(commit);
    if (graph === undefined || position < 0) this.#read(commit, parentless);
    else {
      if (!parentless)
        for (const parent of graph.parents(position))
          this.#parents.push(this.objects.find(graph.rawId(parent), 0));
      this.#trees.push(UNKNOWN);
      this.#times.push(graph.time(position));
    }
    const slot = this.#positions.length;
    this.#positions.push(position);
    this.#parentsAt.push(this.#parents.length);
    this.#slots.set(commit, slot);
    return slot;
  }

  #read(commit: number, parentless: boolean): void {
    const { type, data } = this.objects.read(commit);
    const id = () => this.objects.id(commit);
    if (type !== "commit")
      throw new PackError("pack/malformed", `object ${id()} is a ${type}, not a commit`, { id: id() });
    const hexLength = this.#id.length * 2;
    let at = 0;
    if (!startsWith(data, at, TREE) || !this.#readId(data, TREE.length))
      throw new PackError("pack/malformed", `commit ${id()} has no tree`, { id: id() });
    const tree = this.objects.find(this.#id, 0);
    at += TREE.length + hexLength + 1;
    for (; startsWith(data, at, PARENT); at += PARENT.length + hexLength + 1) {
      if (!this.#readId(data, at + PARENT.length))
        throw new PackError("pack/malformed", `commit ${id()} has a bad parent`, { id: id() });
      if (!parentless) this.#parents.push(this.objects.find(this.#id, 0));
    }
    this.#trees.push(tree);
    this.#times.push(committerTime(data, at));
  }

  /** Turns the hex at `at` into {@link #id}; gives whether it is a whole id and the line ends behind it. */
  #readId(data: Uint8Array, at: number): boolean {
    const id = this.#id;
    let bad = 0;
    for (let i = 0; i < id.length; i++) {
      const high = HEX[data[at + 2 * i] ?? 0] as number;
      const low = HEX[data[at + 2 * i + 1] ?? 0] as number;
      bad |= high | low;
      id[i] = (high << 4) | low;
    }
    return bad < 16 && data[at + 2 * id.length] === 0x0a;
  }
}

const TREE = new TextEncoder().encode("tree ");
const PARENT = new TextEncoder().encode("parent ");

/** Value of each hex digit, of either case as in C git; 255 for all other bytes. */
const HEX: Uint8Array = new Uint8Array(256).fill(255);
for (let digit = 0; digit < 16; digit++)
  for (const text of [digit.toString(16), digit.toString(16).toUpperCase()]) HEX[text.charCodeAt(0)] = digit;

function startsWith(data: Uint8Array, at: number, text: Uint8Array): boolean {
  for (let i = 0; i < text.length; i++) if (data[at + i] !== text[i]) return false;
  return true;
}
