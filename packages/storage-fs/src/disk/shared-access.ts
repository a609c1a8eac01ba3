import type { PathLike } from "node:fs";
import { chmod, lstat, mkdir, stat } from "node:fs/promises";
import { parseConfigBoolean } from "../config/config-value.ts";
import { StorageFsError, systemCode } from "../errors.ts";
import { fromBytePath, parentOf } from "./byte-path.ts";

/** What others than the owner may do with what is made in a repository. */
export interface SharedAccess {
  /** Permission to read and write, for directories to enter as well. */
  readonly bits: number;
  /** Nobody has more, whatever the umask says. */
  readonly isExact: boolean;
}

const GROUP: SharedAccess = { bits: 0o660, isExact: false };
const EVERYBODY: SharedAccess = { bits: 0o664, isExact: false };

/**
 * @returns `undefined` when the umask alone decides
 * @throws StorageFsError `storage-fs/bad-config`. Spec: git-config, `core.sharedRepository`.
 */
export function parseSharedAccess(value: string | undefined): SharedAccess | undefined {
  if (value === undefined || value === "umask" || value === "") return undefined;
  if (value === "group") return GROUP;
  if (value === "all" || value === "world" || value === "everybody") return EVERYBODY;
  if (!/^[0-7]{1,12}$/.test(value)) {
    const isShared = parseConfigBoolean(value);
    if (isShared !== undefined) return isShared ? GROUP : undefined;
    throw new StorageFsError(
      "storage-fs/bad-config",
      `bad boolean config value '${value}' for 'core.sharedrepository'`,
    );
  }
  const mode = Number(`0o${value}`);
  if (mode === 0) return undefined;
  if (mode === 1) return GROUP;
  if (mode === 2) return EVERYBODY;
  if ((mode & 0o600) !== 0o600)
    throw new StorageFsError(
      "storage-fs/bad-config",
      `core.sharedRepository is ${value}, but owners must always have read and write permissions`,
    );
  return { bits: mode & 0o666, isExact: true };
}

/** The mode of a file or directory that had `mode`, as C git works it out. */
export function sharedMode(mode: number, isDirectory: boolean, { bits, isExact }: SharedAccess): number {
  let more = (mode & 0o200) === 0 ? bits & ~0o222 : bits;
  if (mode & 0o100) more |= (more & 0o444) >> 2;
  let shared = isExact ? (mode & 0o7000) | more : (mode & 0o7777) | more;
  if (!isDirectory) return shared;
  shared |= (shared & 0o444) >> 2;
  // What is made in it belongs to its group.
  return shared & 0o060 ? shared | 0o2000 : shared;
}

/** Lets others at what was just made at `path`; the umask alone decides without `access`. */
export async function share(path: PathLike, access: SharedAccess | undefined): Promise<void> {
  if (access === undefined) return;
  const found = await lstat(path);
  const mode = sharedMode(found.mode, found.isDirectory(), access);
  if (mode !== (found.mode & 0o7777)) await chmod(path, mode);
}

/**
 * Makes a directory, a byte path, and those above it that are missing, for others to use too.
 * @returns whether it is new
 */
export async function makeShared(path: string, access: SharedAccess | undefined): Promise<boolean> {
  if (access === undefined) return (await mkdir(fromBytePath(path), { recursive: true })) !== undefined;
  try {
    await mkdir(fromBytePath(path));
  } catch (error) {
    const code = systemCode(error);
    if (code === "EEXIST" && (await stat(fromBytePath(path))).isDirectory()) return false;
    if (code !== "ENOENT" || parentOf(path) === "") throw error;
    await makeShared(parentOf(path), access);
    return makeShared(path, access);
  }
  await share(fromBytePath(path), access);
  return true;
}
