import {
  type DotName,
  GITATTRIBUTES,
  GITIGNORE,
  GITMODULES,
  isHfsDotName,
  isNtfsDotGit,
  isNtfsDotName,
  MAILMAP,
} from "./dot-names.ts";
import type { Report } from "./report.ts";

/** Gets the blobs that a tree's entries lead to and whose content counts. Raw ids, at `idAt` in `bytes`. */
export interface SpecialBlobs {
  gitmodules(bytes: Uint8Array, idAt: number): void;
  gitattributes(bytes: Uint8Array, idAt: number): void;
}

const DOT = 0x2e;
const SLASH = 0x2f;
const BACKSLASH = 0x5c;

const TYPE_MASK = 0o170000;
const SYMLINK = 0o120000;

/** Looks at those names of a tree that are not plainly harmless. */
export class TreeNames {
  readonly #report: Report;
  readonly #blobs: SpecialBlobs;
  #fullPath = false;
  #dot = false;
  #dotDot = false;
  #dotGit = false;

  constructor(report: Report, blobs: SpecialBlobs) {
    this.#report = report;
    this.#blobs = blobs;
  }

  begin(): void {
    this.#fullPath = this.#dot = this.#dotDot = this.#dotGit = false;
  }

  /** Looks at the name `bytes[at … end)`, which a NUL and the entry's id follow. */
  examine(bytes: Uint8Array, at: number, end: number, mode: number): void {
    if (bytes[at] === DOT) {
      if (end - at === 1) this.#dot = true;
      else if (end - at === 2 && bytes[at + 1] === DOT) this.#dotDot = true;
    }
    if (isNtfsDotGit(bytes, at, end) || isHfsDotName(bytes, at, end, "git")) this.#dotGit = true;
    const idAt = end + 1;
    const isSymlink = (mode & TYPE_MASK) === SYMLINK;
    if (isDotName(bytes, at, end, GITMODULES)) this.#gitmodules(bytes, idAt, isSymlink);
    if (isDotName(bytes, at, end, GITATTRIBUTES)) {
      if (isSymlink) this.#report.add("gitattributesSymlink", ".gitattributes is a symlink");
      else this.#blobs.gitattributes(bytes, idAt);
    }
    if (isSymlink && isDotName(bytes, at, end, GITIGNORE))
      this.#report.add("gitignoreSymlink", ".gitignore is a symlink");
    if (isSymlink && isDotName(bytes, at, end, MAILMAP))
      this.#report.add("mailmapSymlink", ".mailmap is a symlink");
    for (let i = at; i < end; i++) {
      if (bytes[i] === SLASH) this.#fullPath = true;
      if (bytes[i] !== BACKSLASH) continue;
      if (isNtfsDotGit(bytes, i + 1, end)) this.#dotGit = true;
      if (isNtfsDotName(bytes, i + 1, end, GITMODULES)) this.#gitmodules(bytes, idAt, isSymlink);
    }
  }

  #gitmodules(bytes: Uint8Array, idAt: number, isSymlink: boolean): void {
    if (isSymlink) this.#report.add("gitmodulesSymlink", ".gitmodules is a symbolic link");
    else this.#blobs.gitmodules(bytes, idAt);
  }

  /** Reports what the names of a tree came to. */
  conclude(): void {
    if (this.#fullPath) this.#report.add("fullPathname", "contains full pathnames");
    if (this.#dot) this.#report.add("hasDot", "contains '.'");
    if (this.#dotDot) this.#report.add("hasDotdot", "contains '..'");
    if (this.#dotGit) this.#report.add("hasDotgit", "contains '.git'");
  }
}

function isDotName(bytes: Uint8Array, at: number, end: number, dotName: DotName): boolean {
  return isNtfsDotName(bytes, at, end, dotName) || isHfsDotName(bytes, at, end, dotName.name);
}
