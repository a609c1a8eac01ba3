import { formatTree, type ObjectId, type ObjectType, parseTree, type TreeEntry } from "@x/objects";
import { StorageMemoryError } from "../errors.ts";
import type { ObjectShelf } from "../object-shelf.ts";
import { readStored } from "../read/read-stored.ts";
import type { ChangeNode, FileContent } from "./file-changes.ts";

const TREE = 0o40000;
const FILE = 0o100644;
const GITLINK = 0o160000;

const encoder = new TextEncoder();

/**
 * Stores the trees that `changes` make of `base`, and their files.
 * @returns the root tree, which may be empty; directories that have become empty are gone
 * @throws StorageMemoryError `storage-memory/not-found` for an id that is not stored
 */
export function writeTree(shelf: ObjectShelf, base: ObjectId | undefined, changes: ChangeNode): ObjectId {
  return shelf.add("tree", formatTree(changedEntries(shelf, base, changes)));
}

function changedEntries(shelf: ObjectShelf, base: ObjectId | undefined, { below }: ChangeNode): TreeEntry[] {
  const entries = new Map<string, TreeEntry>();
  if (base !== undefined)
    for (const entry of parseTree(readStored(shelf, base, "tree"), shelf.format))
      entries.set(entry.name, entry);
  for (const [name, node] of below) {
    const before = node.change === undefined ? entries.get(name) : undefined;
    entries.delete(name);
    if (node.below.size > 0) {
      const inside = before?.mode === TREE ? before.id : undefined;
      const left = changedEntries(shelf, inside, node);
      if (left.length > 0) entries.set(name, { mode: TREE, name, id: shelf.add("tree", formatTree(left)) });
    } else if (node.change?.content !== undefined) {
      entries.set(name, { name, ...writeFile(shelf, node.change.content) });
    }
  }
  return [...entries.values()];
}

function writeFile(
  shelf: ObjectShelf,
  content: FileContent,
): { readonly mode: number; readonly id: ObjectId } {
  if (typeof content === "string") return { mode: FILE, id: shelf.add("blob", encoder.encode(content)) };
  if (content instanceof Uint8Array) return { mode: FILE, id: shelf.add("blob", content.slice()) };
  if (!("id" in content)) return { mode: content.mode, id: writeFile(shelf, content.content).id };
  const type: ObjectType = content.mode === TREE ? "tree" : "blob";
  if (content.mode !== GITLINK && typeOf(shelf, content.id) !== type)
    throw new StorageMemoryError("storage-memory/not-found", `there is no ${type} ${content.id}`);
  return { mode: content.mode, id: content.id };
}

function typeOf(shelf: ObjectShelf, id: ObjectId): ObjectType | undefined {
  const table = shelf.table();
  const number = table.findId(id);
  return number < 0 ? undefined : table.header(number).type;
}
