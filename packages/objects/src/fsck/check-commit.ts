import { checkHeaderEnd, checkIdent, hasNul } from "./check-header.ts";
import type { Report } from "./report.ts";
import { isIdLine, nextLine, startsWith } from "./scan.ts";

/*
 * tree <id> LF  (parent <id> LF)*  author <ident> LF  committer <ident> LF  (header LF)*  LF  message
 */

/** Checks a commit, in git's order: most problems end the check, unless they are told as warnings only. */
export function checkCommit(
  bytes: Uint8Array,
  start: number,
  end: number,
  idLength: number,
  report: Report,
): void {
  const nul = hasNul(bytes, start, end);
  if (!checkHeaderEnd(bytes, start, end, nul, report)) return;
  let at = start;
  if (!startsWith(bytes, at, end, "tree ")) {
    report.add("missingTree", "invalid format - expected 'tree' line");
    return;
  }
  at += "tree ".length;
  if (isIdLine(bytes, at, end, idLength)) at += idLength + 1;
  else {
    if (report.add("badTreeSha1", "invalid 'tree' line format - bad sha1")) return;
    at = nextLine(bytes, at, end);
  }
  while (startsWith(bytes, at, end, "parent ")) {
    at += "parent ".length;
    if (isIdLine(bytes, at, end, idLength)) at += idLength + 1;
    else {
      if (report.add("badParentSha1", "invalid 'parent' line format - bad sha1")) return;
      at = nextLine(bytes, at, end);
    }
  }
  let authors = 0;
  for (; startsWith(bytes, at, end, "author "); authors++) {
    at += "author ".length;
    if (!checkIdent(bytes, at, end, report)) return;
    at = nextLine(bytes, at, end);
  }
  if (authors === 0) {
    if (report.add("missingAuthor", "invalid format - expected 'author' line")) return;
  } else if (authors > 1) {
    if (report.add("multipleAuthors", "invalid format - multiple 'author' lines")) return;
  }
  if (!startsWith(bytes, at, end, "committer ")) {
    report.add("missingCommitter", "invalid format - expected 'committer' line");
    return;
  }
  if (!checkIdent(bytes, at + "committer ".length, end, report)) return;
  if (nul) report.add("nulInCommit", "NUL byte in the commit object body");
}

/**
 * What git's parser has against a commit, which is less than what fsck checks.
 * @returns `undefined` when it can be parsed
 */
export function commitParseError(
  bytes: Uint8Array,
  start: number,
  end: number,
  idLength: number,
): string | undefined {
  let at = start + "tree ".length;
  const treeEnd = at + idLength;
  if (end - treeEnd <= 1 || !startsWith(bytes, start, end, "tree ") || bytes[treeEnd] !== 0x0a)
    return "bogus commit object";
  if (!isIdLine(bytes, at, end, idLength)) return "bad tree pointer in commit";
  at = treeEnd + 1;
  const lineLength = "parent ".length + idLength;
  while (at + lineLength < end && startsWith(bytes, at, end, "parent ")) {
    if (end - at <= lineLength + 1 || !isIdLine(bytes, at + "parent ".length, end, idLength))
      return "bad parents in commit";
    at += lineLength + 1;
  }
  return undefined;
}
