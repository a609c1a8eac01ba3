import type { BigIntStats } from "node:fs";
import type { Attributes } from "@x/objects";
import { hashObject, type ObjectFormat, toBlob } from "@x/objects";
import { createNodeHasher } from "@x/objects/node";
import type { ObjectTable } from "@x/pack";
import { systemCode } from "../errors.ts";
import { conversionOf } from "./conversions.ts";
import { hashFile, hashSymlink, readFile } from "./file-content.ts";
import { type IndexEntry, isGitlink, SYMLINK } from "./index-entry.ts";
import type { LeadingPaths } from "./leading-path.ts";
import type { WorkTreeSettings } from "./settings.ts";
import { isRacy, isSameStat, lstatOf, statDataOf } from "./stat-data.ts";

/** What files are compared with. */
export interface FileComparison {
  /** The work tree, a byte path. */
  readonly root: string;
  readonly format: ObjectFormat;
  readonly objects: ObjectTable;
  readonly settings: WorkTreeSettings;
  readonly attributes: Attributes;
  readonly leading: LeadingPaths;
  /** When the index was last written. Unit: nanoseconds since 1970. */
  readonly indexMtimeNs: bigint;
}

/** What became of comparing the index with the files. */
export interface Refreshed {
  /** With what `lstat` says now. */
  readonly entries: readonly IndexEntry[];
  /** Some files look other than remembered, or may have changed since; C git writes the index anew then. */
  readonly isStale: boolean;
  /** Paths whose file is missing or another. */
  readonly changed: readonly string[];
}

/** C git does not look at fractions unless it was built to. */
const WHOLE_SECONDS = { checkStat: false };

/**
 * Compares every file with its entry, as `git update-index --refresh` and `git diff-files` do; submodules are passed over.
 * Yields now and then.
 */
export function* refreshEntries(
  entries: readonly IndexEntry[],
  comparison: FileComparison,
): Generator<void, Refreshed> {
  const changed: string[] = [];
  let isStale = false;
  const refreshed: IndexEntry[] = [];
  for (const entry of entries) {
    if (refreshed.length % 64 === 0) yield;
    const isExcused = entry.assumeValid || entry.skipWorktree || isGitlink(entry.mode);
    const same = isExcused ? entry : yield* compareFile(entry, comparison);
    if (same === undefined) changed.push(entry.path);
    if (!isGitlink(entry.mode))
      isStale ||= same !== entry || isRacy(entry.stat, comparison.indexMtimeNs, WHOLE_SECONDS);
    refreshed.push(same ?? entry);
  }
  return { entries: refreshed, isStale, changed };
}

/**
 * Whether the file is as its entry says, no promise counting.
 * @returns the entry, with what `lstat` says now; `undefined` when the file is missing or another
 */
export function* compareFile(
  entry: IndexEntry,
  comparison: FileComparison,
): Generator<void, IndexEntry | undefined> {
  const { root, settings, leading, indexMtimeNs } = comparison;
  if (entry.intentToAdd || leading.look(entry.path).kind !== "directories") return undefined;
  const stats = lstatOf(`${root}/${entry.path}`);
  if (stats === undefined || !isSameKind(entry.mode, stats, settings)) return undefined;
  const now = statDataOf(stats);
  const isSame = isSameStat(entry.stat, now, settings);
  if (isSame && !isRacy(entry.stat, indexMtimeNs, settings)) return entry;
  // A size of zero may mean that the index was written too soon after the file to know it.
  if (entry.stat.size !== now.size && entry.stat.size !== 0) return undefined;
  try {
    if (!(yield* isSameContent(entry, stats, comparison))) return undefined;
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return undefined; // not to be read: nothing can be said for it
  }
  return isSame ? entry : { ...entry, stat: now };
}

function isSameKind(mode: number, stats: BigIntStats, { symlinks, fileMode }: WorkTreeSettings): boolean {
  if (mode === SYMLINK) return stats.isSymbolicLink() || (!symlinks && stats.isFile());
  if (!stats.isFile()) return false;
  return !fileMode || (mode & 0o100) === (Number(stats.mode) & 0o100);
}

function* isSameContent(
  entry: IndexEntry,
  stats: BigIntStats,
  { root, format, attributes, settings, objects }: FileComparison,
): Generator<void, boolean> {
  const path = `${root}/${entry.path}`;
  if (stats.isSymbolicLink()) return hashSymlink(path, format) === entry.id;
  const size = Number(stats.size);
  if ((yield* hashFile(path, size, format)) === entry.id) return true;
  const conversion = conversionOf(entry, attributes, settings.conversion);
  if (conversion.kind === "unknown" || conversion.endings.file === "asIs") return false;
  const blob = toBlob(yield* readFile(path, size), conversion.endings, () => readBlob(objects, entry));
  return hashObject(format, "blob", blob, createNodeHasher) === entry.id;
}

function readBlob(objects: ObjectTable, { id }: IndexEntry): Uint8Array {
  const number = objects.findId(id);
  return number < 0 ? new Uint8Array(0) : objects.read(number).data;
}
