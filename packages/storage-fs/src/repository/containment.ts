import { realpath } from "node:fs/promises";
import { sep } from "node:path";
import { findAlternates } from "../worker/alternates.ts";
import { type RepositoryLayout, readLayout } from "./layout.ts";

/**
 * The layout by paths without symlinks, if all of them, and what `objects/info/alternates` leads to, lie below one of
 * `roots` and still belong together.
 * @param roots absolute; where one is itself a symlink, what it leads to counts
 * @param onOutside told of the path that lies elsewhere
 * @returns `undefined` when there is one
 * @throws Node's own error for a path that leads nowhere
 */
export async function containedLayout(
  { gitDirectory, commonDirectory, objectsDirectory, refsDirectory }: RepositoryLayout,
  roots: readonly string[],
  onOutside?: (path: string) => void,
): Promise<RepositoryLayout | undefined> {
  const real = await Promise.all(
    [gitDirectory, commonDirectory, objectsDirectory, refsDirectory].map((path) => realpath(path)),
  );
  const [realGit, realCommon, realObjects] = real as [string, string, string, string];
  // Where there is nothing, nothing is borrowed.
  const lent = findAlternates(realObjects).map((path) => realpath(path).catch(() => realObjects));
  for (const path of [...real, ...(await Promise.all(lent))]) {
    if (await isInside(path, roots)) continue;
    onOutside?.(path);
    return undefined;
  }
  const layout = await readLayout(realGit);
  if (layout === undefined) return undefined;
  return (await realpath(layout.commonDirectory)) === realCommon ? layout : undefined;
}

async function isInside(path: string, roots: readonly string[]): Promise<boolean> {
  for (const root of roots) if (isBelow(path, await realpath(root).catch(() => root))) return true;
  return false;
}

/** Whether `path` is `directory` or lies in it; both without a slash at their end. */
export function isBelow(path: string, directory: string): boolean {
  return path === directory || path.startsWith(directory.endsWith(sep) ? directory : directory + sep);
}

/** What the system says of paths that lead nowhere, or where this process may not look. */
export const ABSENT: ReadonlySet<string> = new Set([
  "ENOENT",
  "ENOTDIR",
  "ELOOP",
  "ENAMETOOLONG",
  "EACCES",
  "EPERM",
]);
