import { isRootRefName, isValidRefName } from "./ref-name.ts";

/** Refs below `refs/` that every work tree has for itself. */
const PER_WORKTREE = ["refs/bisect/", "refs/rewritten/", "refs/worktree/"] as const;

/** Whose ref a name means, and what that one calls it. */
export type RefPlace =
  /** All work trees share it. */
  | { readonly kind: "shared"; readonly name: string }
  /** Every work tree has one: here, the one that is asked. */
  | { readonly kind: "own"; readonly name: string }
  | { readonly kind: "main"; readonly name: string }
  | { readonly kind: "worktree"; readonly worktree: string; readonly name: string };

/**
 * Where the ref `name` is kept: `HEAD` and its like, `refs/bisect/`, `refs/rewritten/` and `refs/worktree/` are each
 * work tree's own, and others' are `main-worktree/<name>` and `worktrees/<id>/<name>`.
 * Spec: git-worktree, "REFS"; gitrepository-layout, "refs".
 */
export function refPlace(name: string): RefPlace {
  if (isPerWorktree(name)) return { kind: "own", name };
  const other = /^(?:main-worktree|worktrees\/([^/]+))\/(.+)$/s.exec(name);
  const [, worktree, inner = ""] = other ?? [];
  if (!isPerWorktree(inner)) return { kind: "shared", name };
  return worktree === undefined ? { kind: "main", name: inner } : { kind: "worktree", worktree, name: inner };
}

function isPerWorktree(name: string): boolean {
  return isRootRefName(name) || PER_WORKTREE.some((prefix) => name.startsWith(prefix));
}

/** Whether a store has a place for `name`: a valid name below `refs/`, one beside it, or a work tree's. */
export function isStorableRefName(name: string): boolean {
  if (isRootRefName(name)) return true;
  return (name.startsWith("refs/") || refPlace(name).kind !== "shared") && isValidRefName(name);
}
