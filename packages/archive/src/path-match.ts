import { type AttributeState, foldCase, matchesPath, treeEntryKind } from "@x/objects";
import type { AttributeDemand, Pathspec } from "./pathspec.ts";

/** How much of what is below, or at, an entry is wanted. */
type Interest = "none" | "some" | "all";

/** The attributes of a path. */
type AttributesOf = (path: string) => ReadonlyMap<string, AttributeState>;

/**
 * Picks the entries of trees that pathspecs match, directories too in which some may be. The rules are those git has for
 * trees, which are not quite those that it has for files of a work tree.
 */
export class PathMatch {
  readonly #pathspecs: readonly Pathspec[];
  readonly #attributesOf: AttributesOf;
  readonly #hasExclusions: boolean;

  constructor(pathspecs: readonly Pathspec[], attributesOf: AttributesOf) {
    this.#pathspecs = pathspecs;
    this.#attributesOf = attributesOf;
    this.#hasExclusions = pathspecs.some(({ exclude }) => exclude);
  }

  /** Whether the entry `name` of the tree at `base`, which is empty or ends in a slash, belongs. */
  fits(base: string, name: string, mode: number): boolean {
    const wanted = this.#interest(base, name, mode, false);
    if (wanted === "none" || !this.#hasExclusions) return wanted !== "none";
    const unwanted = this.#interest(base, name, mode, true);
    // What is unwanted in a directory is only known inside.
    return unwanted === "none" || (unwanted === "some" && treeEntryKind(mode) === "tree");
  }

  #interest(base: string, name: string, mode: number, exclude: boolean): Interest {
    if (this.#pathspecs.length === 0) return "all";
    for (let i = this.#pathspecs.length - 1; i >= 0; i--) {
      const pathspec = this.#pathspecs[i] as Pathspec;
      if (pathspec.exclude !== exclude) continue;
      const interest = interestOf(pathspec, base, name, mode);
      if (interest === "none") continue;
      const { attributes } = pathspec;
      if (attributes.length > 0 && interest !== "maybe") {
        if (treeEntryKind(mode) === "tree") return "some";
        if (!this.#hasAll(base + name, attributes)) continue;
        return "some";
      }
      return interest === "all" ? "all" : "some";
    }
    return "none";
  }

  #hasAll(path: string, demands: readonly AttributeDemand[]): boolean {
    const known = this.#attributesOf(path);
    return demands.every(({ name, state }) => known.get(name) === state);
  }
}

/** `maybe`: a directory in which something may match. */
function interestOf(pathspec: Pathspec, base: string, name: string, mode: number): Interest | "maybe" {
  const { pattern, literalLength } = pathspec;
  const isTree = treeEntryKind(mode) === "tree";
  const hasWildcard = literalLength < pattern.length;
  if (base.length >= pattern.length) {
    if (isBelow(pathspec, base)) return "all";
  } else if (base === "" || isSame(pathspec, base, pattern.slice(0, base.length))) {
    const rest = pattern.slice(base.length);
    if (leadsTo(pathspec, rest, name, mode)) return "some";
    if (!hasWildcard) return "none";
    if (fitsPattern(pathspec, rest, name, literalLength - base.length)) return "some";
    return isTree ? "maybe" : "none";
  }
  if (!hasWildcard || !mayBeUnder(pathspec, base)) return "none";
  if (fitsPattern(pathspec, pattern, base + name, literalLength)) return "some";
  return isTree ? "maybe" : "none";
}

/** The pattern, taken literally, names `base` or a directory above it. */
function isBelow(pathspec: Pathspec, base: string): boolean {
  const { pattern } = pathspec;
  if (!isSame(pathspec, base.slice(0, pattern.length), pattern)) return false;
  return pattern === "" || base[pattern.length] === "/" || pattern.endsWith("/");
}

/** `rest`, taken literally, is `name`, or lies below it where that can be. */
function leadsTo(pathspec: Pathspec, rest: string, name: string, mode: number): boolean {
  if (name.length > rest.length) return false;
  if (rest.length > name.length) {
    if (rest[name.length] !== "/") return false;
    const kind = treeEntryKind(mode);
    if (kind === "blob" || (kind === "gitlink" && rest.length > name.length + 1)) return false;
  }
  return isSame(pathspec, rest.slice(0, name.length), name);
}

/** What stands before the first wildcard does not rule `base` out. */
function mayBeUnder(pathspec: Pathspec, base: string): boolean {
  const length = Math.min(base.length, pathspec.literalLength);
  return isSame(pathspec, base.slice(0, length), pathspec.pattern.slice(0, length));
}

function fitsPattern(pathspec: Pathspec, pattern: string, text: string, literal: number): boolean {
  const head = Math.max(literal, 0);
  if (!isSame(pathspec, pattern.slice(0, head), text.slice(0, head))) return false;
  return matchesPath(pattern.slice(head), text.slice(head), {
    ignoreCase: pathspec.ignoreCase,
    acrossSlashes: !pathspec.glob,
  });
}

function isSame({ ignoreCase }: Pathspec, a: string, b: string): boolean {
  return a === b || (ignoreCase && foldCase(a) === foldCase(b));
}
