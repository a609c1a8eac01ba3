import { Wildmatch } from "@x/objects";

/** One line of a sparse-checkout file. */
export interface SparsePattern {
  /** It takes out what an earlier one put in. */
  readonly negative: boolean;
  /** It matches directories only. */
  readonly directoriesOnly: boolean;
  /** It is held against the last part of a path only, at any depth. */
  readonly nameOnly: boolean;
  readonly match: Wildmatch;
}

/**
 * The patterns of a sparse-checkout file, in order. Cone patterns are patterns like any others.
 * Spec: gitignore(5), "PATTERN FORMAT"; git-sparse-checkout(1), "INTERNALS—FULL PATTERN SET".
 */
export function parseSparsePatterns(file: Uint8Array): SparsePattern[] {
  const hasMark = file[0] === 0xef && file[1] === 0xbb && file[2] === 0xbf;
  const patterns: SparsePattern[] = [];
  for (let at = hasMark ? 3 : 0; at < file.length; ) {
    const newline = file.indexOf(0x0a, at);
    const end = newline < 0 ? file.length : newline;
    if (end > at && file[at] !== 0x23) patterns.push(parsePattern(lineOf(file, at, end)));
    at = end + 1;
  }
  return patterns;
}

function lineOf(file: Uint8Array, start: number, end: number): string {
  let line = "";
  for (let i = start; i < end && file[i] !== 0; i++) line += String.fromCharCode(file[i] as number);
  return line.endsWith("\r") ? line.slice(0, -1) : line;
}

function parsePattern(line: string): SparsePattern {
  let pattern = withoutTrailingSpaces(line);
  const negative = pattern.startsWith("!");
  if (negative) pattern = pattern.slice(1);
  const directoriesOnly = pattern.endsWith("/");
  if (directoriesOnly) pattern = pattern.slice(0, -1);
  const nameOnly = !pattern.includes("/");
  if (pattern.startsWith("/")) pattern = pattern.slice(1);
  return { negative, directoriesOnly, nameOnly, match: new Wildmatch(pattern) };
}

/** Spaces at the end go, unless a backslash keeps them. */
function withoutTrailingSpaces(line: string): string {
  let end = 0;
  for (let i = 0; i < line.length; i++) {
    if (line[i] === " ") continue;
    if (line[i] === "\\") i++;
    end = i + 1;
  }
  return line.slice(0, end);
}
