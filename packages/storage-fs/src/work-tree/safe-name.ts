import { GITMODULES, isHfsDotName, isNtfsDotGit, isNtfsDotName } from "@x/objects";
import { SYMLINK, TYPE_MASK } from "./index-entry.ts";

const DOT = 0x2e;
const SLASH = 0x2f;
const BACKSLASH = 0x5c;

/**
 * Whether a file of this name, `bytes[at … end)`, may be made in a work tree: it stays where it is put, and no file
 * system takes it for `.git`; nor for `.gitmodules`, if it is a symlink. The rules for NTFS and HFS+ hold on every system.
 * Spec: git-config, `core.protectNTFS`, `core.protectHFS`.
 */
export function isSafeName(bytes: Uint8Array, at: number, end: number, mode: number): boolean {
  const length = end - at;
  if (length === 0) return false;
  if (bytes[at] === DOT && (length === 1 || (length === 2 && bytes[at + 1] === DOT))) return false;
  const isSymlink = (mode & TYPE_MASK) === SYMLINK;
  if (isHfsDotName(bytes, at, end, "git")) return false;
  if (isSymlink && isHfsDotName(bytes, at, end, GITMODULES.name)) return false;
  if (isDisguised(bytes, at, end, isSymlink)) return false;
  for (let i = at; i < end; i++) {
    if (bytes[i] === SLASH) return false;
    if (bytes[i] === BACKSLASH && isDisguised(bytes, i + 1, end, isSymlink)) return false;
  }
  return true;
}

function isDisguised(bytes: Uint8Array, at: number, end: number, isSymlink: boolean): boolean {
  return isNtfsDotGit(bytes, at, end) || (isSymlink && isNtfsDotName(bytes, at, end, GITMODULES));
}
