import type { ObjectId } from "@x/objects";

/** What the index remembers of a file, to tell without reading it that it is as it was. All 32 bits of what `lstat` says. */
export interface StatData {
  readonly ctimeSeconds: number;
  readonly ctimeNanoseconds: number;
  readonly mtimeSeconds: number;
  readonly mtimeNanoseconds: number;
  readonly device: number;
  readonly inode: number;
  readonly uid: number;
  readonly gid: number;
  /** Zero also for "not known". Unit: bytes. */
  readonly size: number;
}

/** One path in the index. Spec: gitformat-index, "Index entry". */
export interface IndexEntry {
  /** From the top of the work tree. A byte path, see `byte-path.ts`. */
  readonly path: string;
  /** `0o100644`, `0o100755`, `0o120000` (symlink) or `0o160000` (gitlink). */
  readonly mode: number;
  readonly id: ObjectId;
  readonly stat: StatData;
  /** Above zero while a merge waits for its user. */
  readonly stage: number;
  /** The user promised not to change the file. */
  readonly assumeValid: boolean;
  /** The file need not be there. */
  readonly skipWorktree: boolean;
  readonly intentToAdd: boolean;
}

/** The whole index. */
export interface Index {
  readonly version: 2 | 3 | 4;
  /** In order of paths, byte by byte, then of stages. */
  readonly entries: readonly IndexEntry[];
  /** The tree that the entries make up, if the index says so. */
  readonly tree: ObjectId | undefined;
}

/** Of a file that was not looked at. */
export const NO_STAT: StatData = {
  ctimeSeconds: 0,
  ctimeNanoseconds: 0,
  mtimeSeconds: 0,
  mtimeNanoseconds: 0,
  device: 0,
  inode: 0,
  uid: 0,
  gid: 0,
  size: 0,
};

/** The bits of a mode that say what kind of file it is. */
export const TYPE_MASK = 0o170000;
export const REGULAR = 0o100000;
export const SYMLINK = 0o120000;
export const GITLINK = 0o160000;

/** Whether `mode` is that of another repository's commit. */
export function isGitlink(mode: number): boolean {
  return (mode & TYPE_MASK) === GITLINK;
}
