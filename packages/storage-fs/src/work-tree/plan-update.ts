import { type IndexEntry, isGitlink } from "./index-entry.ts";
import type { TreeFile } from "./tree-files.ts";

/** What is to be done to come from the index to a commit. */
export interface UpdatePlan {
  /** For each file of the commit: what the index has of it already, or the file to be written. */
  readonly result: readonly PlannedEntry[];
  /** What goes away. */
  readonly removed: readonly IndexEntry[];
}

/** One path of the new index. */
export type PlannedEntry =
  | { readonly kind: "kept"; readonly entry: IndexEntry }
  /** `old` is what the index has there now. */
  | { readonly kind: "written"; readonly file: TreeFile; readonly old: IndexEntry | undefined };

/** Compares index and commit, both in the order of the index. Spec: git-read-tree, "Single Tree Merge". */
export function planUpdate(entries: readonly IndexEntry[], files: readonly TreeFile[]): UpdatePlan {
  const removed: IndexEntry[] = [];
  let at = 0;
  const result = files.map((file): PlannedEntry => {
    for (; at < entries.length && (entries[at] as IndexEntry).path < file.path; at++)
      removed.push(entries[at] as IndexEntry);
    const entry = entries[at];
    if (entry?.path !== file.path) return { kind: "written", file, old: undefined };
    at++;
    return isSameFile(entry, file) ? { kind: "kept", entry } : { kind: "written", file, old: entry };
  });
  removed.push(...entries.slice(at));
  return { result, removed };
}

/** Whether the index has what the commit has; submodules may be at any commit of theirs. */
export function hasStagedChanges(entries: readonly IndexEntry[], files: readonly TreeFile[]): boolean {
  const staged = entries.filter(({ mode }) => !isGitlink(mode));
  const committed = files.filter(({ mode }) => !isGitlink(mode));
  return (
    staged.length !== committed.length ||
    staged.some((entry, i) => {
      const file = committed[i] as TreeFile;
      return entry.path !== file.path || !isSameFile(entry, file);
    })
  );
}

function isSameFile(entry: IndexEntry, file: TreeFile): boolean {
  return entry.id === file.id && entry.mode === file.mode && !entry.intentToAdd;
}
