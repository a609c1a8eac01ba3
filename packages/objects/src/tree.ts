import { ObjectsError } from "./errors.ts";
import {
  type ObjectFormat,
  type ObjectId,
  objectIdFromBytes,
  objectIdToBytes,
  rawIdLength,
} from "./object-id.ts";

/*
 * A tree is a run of entries: <mode in octal ASCII> SP <name> NUL <raw object id>
 * in byte order of names, a tree's name taken as if it ended in "/".
 * Spec: user-manual, "Tree Object"; git-mktree for the order.
 */

/** One entry of a tree. */
export interface TreeEntry {
  /** For example 0o100644, 0o40000 (tree), 0o120000 (symlink), 0o160000 (submodule). */
  readonly mode: number;
  /** Byte-exact: one character for each byte. */
  readonly name: string;
  readonly id: ObjectId;
}

/** What an entry's mode says of the object it names; a `gitlink` names a commit of another repository. */
export type TreeEntryKind = "tree" | "blob" | "gitlink";

/** @see TreeEntryKind */
export function treeEntryKind(mode: number): TreeEntryKind {
  const type = mode & 0o170000;
  return type === 0o40000 ? "tree" : type === 0o160000 ? "gitlink" : "blob";
}

/**
 * Calls `visit` for each entry, in order, without making a string or an id. `idAt` is where the raw id starts.
 * @throws ObjectsError `objects/malformed`
 */
export function forEachTreeEntry(
  tree: Uint8Array,
  format: ObjectFormat,
  visit: (mode: number, nameAt: number, nameEnd: number, idAt: number) => void,
): void {
  const idLength = rawIdLength(format);
  let at = 0;
  while (at < tree.length) {
    let mode = 0;
    let byte = tree[at++] as number;
    const modeAt = at;
    if (byte === 0x20) throw malformed();
    while (byte !== 0x20) {
      if (byte < 0x30 || byte > 0x37 || at - modeAt > 7 || at >= tree.length) throw malformed();
      mode = mode * 8 + byte - 0x30;
      byte = tree[at++] as number;
    }
    let nameEnd = at;
    while (tree[nameEnd] as number) nameEnd++; // past the end reads as undefined, which stops it too
    const idAt = nameEnd + 1;
    if (nameEnd === at || idAt + idLength > tree.length) throw malformed();
    visit(mode, at, nameEnd, idAt);
    at = idAt + idLength;
  }
}

function malformed(): ObjectsError {
  return new ObjectsError("objects/malformed", "malformed tree entry");
}

/** Every entry of a tree. @throws ObjectsError `objects/malformed` */
export function parseTree(tree: Uint8Array, format: ObjectFormat): TreeEntry[] {
  const entries: TreeEntry[] = [];
  forEachTreeEntry(tree, format, (mode, nameAt, nameEnd, idAt) => {
    let name = "";
    for (let i = nameAt; i < nameEnd; i++) name += String.fromCharCode(tree[i] as number);
    entries.push({ mode, name, id: objectIdFromBytes(tree, format, idAt) });
  });
  return entries;
}

/** The bytes of a tree with these entries, put into Git's order. */
export function formatTree(entries: readonly TreeEntry[]): Uint8Array {
  const key = (entry: TreeEntry) => (treeEntryKind(entry.mode) === "tree" ? `${entry.name}/` : entry.name);
  const sorted = [...entries].sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0));
  const parts = sorted.map((entry) => {
    const head = `${entry.mode.toString(8)} ${entry.name}\0`;
    const id = objectIdToBytes(entry.id);
    const bytes = new Uint8Array(head.length + id.length);
    for (let i = 0; i < head.length; i++) bytes[i] = head.charCodeAt(i);
    bytes.set(id, head.length);
    return bytes;
  });
  const tree = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    tree.set(part, at);
    at += part.length;
  }
  return tree;
}
