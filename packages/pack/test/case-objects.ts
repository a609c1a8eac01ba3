import type { ObjectFormat, ObjectType } from "@x/objects";
import { bytesOf, concat, rawId, whole } from "./pack-builder.ts";

const WHO = "A U Thor <author@example.com> 1600000000 +0000";

/** What packs are made of: objects that are sound, and what the repository they come to has. */
export interface Basics {
  readonly hash: (type: ObjectType, data: Uint8Array) => Uint8Array;
  readonly baseData: Uint8Array;
  readonly baseSize: number;
  readonly baseId: Uint8Array;
  readonly base: Uint8Array;
  readonly other: Uint8Array;
  readonly treeId: Uint8Array;
  readonly tree: Uint8Array;
  readonly commitId: Uint8Array;
  readonly commit: Uint8Array;
  readonly tag: Uint8Array;
  /** A blob, a tree and a commit that are there already; entries and ids. */
  readonly storedData: Uint8Array;
  readonly storedId: Uint8Array;
  readonly stored: Uint8Array;
  readonly storedTreeId: Uint8Array;
  readonly storedTree: Uint8Array;
  readonly storedCommitId: Uint8Array;
  readonly storedCommit: Uint8Array;
}

/** Mode, name and raw id, as they stand in a tree. */
export function row(mode: string, name: string, id: Uint8Array): Uint8Array {
  return concat(bytesOf(`${mode} ${name}\0`), id);
}

/** Bytes in hex. */
export function hexOf(id: Uint8Array): string {
  return Buffer.from(id).toString("hex");
}

/** A commit's text. */
export function commitText(tree: Uint8Array, parents: readonly Uint8Array[] = [], more = ""): Uint8Array {
  const lines = parents.map((id) => `parent ${hexOf(id)}\n`).join("");
  return bytesOf(`tree ${hexOf(tree)}\n${lines}author ${WHO}\ncommitter ${WHO}\n${more}\nwords\n`);
}

/** A tag's text. */
export function tagText(target: Uint8Array, type: string, name = "v1"): Uint8Array {
  return bytesOf(`object ${hexOf(target)}\ntype ${type}\ntag ${name}\ntagger ${WHO}\n\nwords\n`);
}

const made = new Map<ObjectFormat, Basics>();

export function basics(format: ObjectFormat): Basics {
  const known = made.get(format);
  if (known !== undefined) return known;
  const hash = (type: ObjectType, data: Uint8Array) => rawId(data, type, format);
  const baseData = bytesOf("base object, long enough to copy from\n");
  const baseId = hash("blob", baseData);
  const otherData = bytesOf("another\n");
  const treeData = concat(row("100644", "a", baseId), row("100644", "b", hash("blob", otherData)));
  const treeId = hash("tree", treeData);
  const commitData = commitText(treeId);
  const commitId = hash("commit", commitData);
  const storedData = bytesOf("a blob that the receiver has already\n");
  const storedId = hash("blob", storedData);
  const storedTreeData = row("100644", "stored", storedId);
  const storedTreeId = hash("tree", storedTreeData);
  const storedCommitData = commitText(storedTreeId);
  const basics: Basics = {
    hash,
    baseData,
    baseSize: baseData.length,
    baseId,
    base: whole("blob", baseData),
    other: whole("blob", otherData),
    treeId,
    tree: whole("tree", treeData),
    commitId,
    commit: whole("commit", commitData),
    tag: whole("tag", tagText(commitId, "commit")),
    storedData,
    storedId,
    stored: whole("blob", storedData),
    storedTreeId,
    storedTree: whole("tree", storedTreeData),
    storedCommitId: hash("commit", storedCommitData),
    storedCommit: whole("commit", storedCommitData),
  };
  made.set(format, basics);
  return basics;
}
