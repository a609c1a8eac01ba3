import { type ObjectId, parseCommitLinks, parseTagTarget, parseTree, treeEntryKind } from "@x/objects";
import { askRead } from "@x/pack";
import { StorageMemoryError } from "../errors.ts";
import type { ObjectShelf } from "../object-shelf.ts";
import { shownPath, splitPath } from "../write/file-path.ts";
import { readStored } from "./read-stored.ts";

/** A file of a commit. */
export interface StoredFile {
  readonly path: string;
  readonly mode: number;
  readonly id: ObjectId;
}

/** The tree of a commit, or of what a tag leads to. @throws StorageMemoryError `storage-memory/not-found` */
export function treeOf(shelf: ObjectShelf, id: ObjectId): ObjectId {
  for (let next = id; ; ) {
    const object = askRead(shelf.table(), next);
    if (object?.type === "tree") return next;
    if (object?.type === "commit") next = parseCommitLinks(object.data, shelf.format).tree;
    else if (object?.type === "tag") next = parseTagTarget(object.data, shelf.format).id;
    else throw new StorageMemoryError("storage-memory/not-found", `${id} leads to no tree`);
  }
}

/** What is at `path` below a tree; `undefined` for nothing, and for a directory. */
export function findFile(shelf: ObjectShelf, tree: ObjectId, path: string): StoredFile | undefined {
  const names = splitPath(path);
  let next = tree;
  for (const [depth, name] of names.entries()) {
    const entry = parseTree(readStored(shelf, next, "tree"), shelf.format).find((one) => one.name === name);
    if (entry === undefined) return undefined;
    const isTree = treeEntryKind(entry.mode) === "tree";
    if (depth === names.length - 1) return isTree ? undefined : { path, mode: entry.mode, id: entry.id };
    if (!isTree) return undefined;
    next = entry.id;
  }
  return undefined;
}

/** All files below a tree, in the order of git's index. */
export function* listFiles(shelf: ObjectShelf, tree: ObjectId, prefix = ""): Generator<StoredFile, void> {
  for (const { name, mode, id } of parseTree(readStored(shelf, tree, "tree"), shelf.format)) {
    const path = `${prefix}${shownPath(name)}`;
    if (treeEntryKind(mode) === "tree") yield* listFiles(shelf, id, `${path}/`);
    else yield { path, mode, id };
  }
}
