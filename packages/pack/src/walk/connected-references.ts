import { type ObjectId, objectIdFromBytes, rawIdLength } from "@x/objects";
import { PackError } from "../errors.ts";
import { ENTRY_BLOB, ENTRY_COMMIT, ENTRY_TREE, entryObjectType } from "../format/entry-header.ts";
import type { ObjectTable } from "../read/object-table.ts";
import { IdNotes } from "../take/id-notes.ts";
import { type OuterReferences, referenceBit } from "../take/reference-gatherer.ts";
import { unreachableCommits } from "./ancestry.ts";
import { type CommitTable, MISSING } from "./commit-table.ts";
import { isEmptyTree } from "./empty-tree.ts";
import { enumerateObjects } from "./enumerate.ts";
import { TreeScanner } from "./tree-scanner.ts";

const TREE = 0o040000;

/** Trees of known commits that are looked into for what came without; then those objects are walked. */
const MAX_KNOWN_TREES = 20_000;

/** In the notes: known to be whole. */
const WHOLE = 1;

/** What {@link referencesConnect} works with. */
export interface ReferenceCheck {
  readonly commits: CommitTable;
  /** What objects that came refer to and that did not come with them. */
  readonly references: OuterReferences;
  /** Ids of refs. */
  readonly known: ReadonlySet<ObjectId>;
  /** The commits that those stand for, in numbers; asked for when the ids do not do. */
  readonly knownCommits: () => Generator<unknown, readonly number[]>;
}

/**
 * Whether all that `references` name is there as git asks for it: commits in the history of refs, trees and blobs in
 * the trees of such commits, or there with all that is below them. Looks no further than it has to: mostly at
 * the trees of the commits that the new ones stand on.
 * @returns `false` when that is not so, or not known without walking everything that came
 */
export function* referencesConnect(check: ReferenceCheck): Generator<unknown, boolean> {
  const { objects } = check.commits;
  const idLength = rawIdLength(objects.format);
  const { rows } = check.references;
  const wanted = new IdNotes(idLength);
  const edges: number[] = [];
  for (let at = 0; at < rows.length; at += idLength + 1) {
    const bit = rows[at + idLength] as number;
    if (bit === referenceBit(ENTRY_COMMIT)) {
      const commit = objects.find(rows, at);
      if (commit < 0) return false;
      edges.push(commit);
    } else if (bit === referenceBit(ENTRY_TREE) || bit === referenceBit(ENTRY_BLOB))
      wanted.add(rows, at, bit);
    else return false; // tags, and what is used as two things
    if (at % (1024 * (idLength + 1)) === 0) yield;
  }
  if (!(yield* areKnown(check, edges))) return false;
  yield* dropKnown(check.commits, edges, wanted);
  return yield* restIsWhole(objects, wanted, idLength);
}

/** Whether refs reach all of `edges`. Mostly these are the tips of refs. */
function* areKnown(
  { commits, known, knownCommits }: ReferenceCheck,
  edges: readonly number[],
): Generator<unknown, boolean> {
  const sought = new Set(edges.filter((commit) => !known.has(commits.objects.id(commit))));
  for (const commit of sought) if (commits.objects.header(commit).type !== "commit") return false;
  if (sought.size === 0) return true;
  const lost = yield* unreachableCommits(commits, sought, yield* knownCommits());
  return lost.size === 0;
}

/**
 * Notes which of `wanted` stand in the trees of `edges`. A directory of theirs that is wanted itself is as it was, and
 * need not be looked into; one that is not has changed.
 */
function* dropKnown(
  commits: CommitTable,
  edges: readonly number[],
  wanted: IdNotes,
): Generator<unknown, void> {
  if (wanted.count === 0) return;
  let left = wanted.count;
  const scanner = new TreeScanner(commits.objects);
  const seen = new Set<number>();
  const pending: number[] = [];
  for (const edge of edges) {
    const root = commits.tree(edge);
    if (root === MISSING || seen.has(root)) continue;
    seen.add(root);
    pending.push(root);
    left -= note(wanted, commits.objects.rawId(root), 0, ENTRY_TREE);
  }
  let steps = 0;
  for (let tree = pending.pop(); tree !== undefined && left > 0; tree = pending.pop()) {
    if (++steps > MAX_KNOWN_TREES) return;
    if (steps % 16 === 0) yield;
    scanner.scan(tree, (data, type, _, idAt) => {
      const kind = type === TREE ? ENTRY_TREE : ENTRY_BLOB;
      const row = wanted.find(data, idAt);
      if (row >= 0) left -= note(wanted, data, idAt, kind);
      else if (kind === ENTRY_TREE) {
        const number = commits.objects.find(data, idAt);
        if (number < 0 || seen.has(number)) return;
        seen.add(number);
        pending.push(number);
      }
    });
  }
}

/** @returns 1 when that is news */
function note(wanted: IdNotes, bytes: Uint8Array, at: number, kind: number): number {
  const row = wanted.find(bytes, at);
  if (row < 0 || wanted.notes[row] !== referenceBit(kind)) return 0;
  wanted.notes[row] = WHOLE;
  return 1;
}

/** Whether what is left of `wanted` is stored, with all that is below. */
function* restIsWhole(objects: ObjectTable, wanted: IdNotes, idLength: number): Generator<unknown, boolean> {
  const trees: number[] = [];
  for (let row = 0; row < wanted.count; row++) {
    const bit = wanted.notes[row] as number;
    if (bit === WHOLE) continue;
    if (row % 256 === 0) yield;
    const number = objects.find(wanted.ids, row * idLength);
    if (number < 0) {
      if (!isEmptyTree(objectIdFromBytes(wanted.ids, objects.format, row * idLength), objects.format))
        return false;
      continue;
    }
    const { type } = objects.header(number);
    if (type === "tree") trees.push(number);
    if (type !== entryObjectType(Math.log2(bit))) return false;
  }
  if (trees.length === 0) return true;
  try {
    yield* enumerateObjects(objects, { wants: trees, haves: [], withoutBitmaps: true, checkTypes: true });
    return true;
  } catch (error) {
    if (error instanceof PackError && error.code !== "pack/limit-exceeded") return false;
    throw error;
  }
}
