import { realpath } from "node:fs/promises";
import { basename, resolve } from "node:path";
import type { RepositoryLayout } from "../repository/layout.ts";

/** Where the refs of a repository lie. Absolute paths. */
export interface RefDirectories {
  /** What this work tree has for itself, HEAD first. */
  readonly own: string;
  /** What all work trees share: the same, except in a linked work tree. */
  readonly common: string;
}

/**
 * Where the refs lie: beside the rest, unless `extensions.refStorage` names a directory, a relative one from the
 * common directory on. Spec: git-config, `extensions.refStorage`.
 */
export async function refDirectories(
  layout: RepositoryLayout,
  path: string | undefined,
): Promise<RefDirectories> {
  const { gitDirectory, commonDirectory } = layout;
  if (path === undefined) return { own: gitDirectory, common: commonDirectory };
  const named = resolve(commonDirectory, path);
  const common = await realpath(named).catch(() => named);
  if (gitDirectory === commonDirectory) return { own: common, common };
  return { own: `${common}/worktrees/${basename(gitDirectory)}`, common };
}
