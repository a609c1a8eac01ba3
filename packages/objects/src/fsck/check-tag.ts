import { isObjectType } from "../object-type.ts";
import { checkHeaderEnd, checkIdent, hasNul } from "./check-header.ts";
import type { Report } from "./report.ts";
import { isIdLine, nextLine, startsWith, textOf } from "./scan.ts";

/*
 * object <id> LF  type <type> LF  tag <name> LF  [tagger <ident> LF]  [gpgsig <signature> LF (SP <more> LF)*]  LF  message
 */

/** No type has more letters. */
const MAX_TYPE_LENGTH = "commit".length;

/** Checks an annotated tag, in git's order: most problems end the check, unless they are told as warnings only. */
export function checkTag(
  bytes: Uint8Array,
  start: number,
  end: number,
  idLength: number,
  report: Report,
): void {
  if (!checkHeaderEnd(bytes, start, end, hasNul(bytes, start, end), report)) return;
  let at = start;
  if (!startsWith(bytes, at, end, "object ")) {
    report.add("missingObject", "invalid format - expected 'object' line");
    return;
  }
  at += "object ".length;
  if (isIdLine(bytes, at, end, idLength)) at += idLength + 1;
  else {
    if (report.add("badObjectSha1", "invalid 'object' line format - bad sha1")) return;
    at = nextLine(bytes, at, end);
  }
  if (!startsWith(bytes, at, end, "type ")) {
    report.add("missingTypeEntry", "invalid format - expected 'type' line");
    return;
  }
  at += "type ".length;
  let lineEnd = nextLine(bytes, at, end) - 1;
  if (!isType(bytes, at, lineEnd) && report.add("badType", "invalid 'type' value")) return;
  at = lineEnd + 1;
  if (!startsWith(bytes, at, end, "tag ")) {
    report.add("missingTagEntry", "invalid format - expected 'tag' line");
    return;
  }
  at += "tag ".length;
  lineEnd = nextLine(bytes, at, end) - 1;
  if (!isTagName(bytes, at, lineEnd)) {
    const name = textOf(bytes, at, Math.min(lineEnd, at + MAX_SHOWN_BYTES));
    if (report.add("badTagName", `invalid 'tag' name: ${name}`)) return;
  }
  at = lineEnd + 1;
  if (startsWith(bytes, at, end, "tagger ")) {
    at += "tagger ".length;
    // Git looks on even when this is an error.
    checkIdent(bytes, at, end, report);
    at = nextLine(bytes, at, end);
  } else if (report.add("missingTaggerEntry", "invalid format - expected 'tagger' line")) return;
  if (startsWith(bytes, at, end, "gpgsig ") || startsWith(bytes, at, end, "gpgsig-sha256 ")) {
    at = nextLine(bytes, at, end);
    while (at < end && bytes[at] === 0x20) at = nextLine(bytes, at, end);
  }
  if (at < end && bytes[at] !== 0x0a)
    report.add("extraHeaderEntry", "invalid format - extra header(s) after 'tagger'");
}

/** More of a name is not shown. Unit: bytes. */
const MAX_SHOWN_BYTES = 4096;

function isType(bytes: Uint8Array, at: number, end: number): boolean {
  return end - at <= MAX_TYPE_LENGTH && isObjectType(textOf(bytes, at, end));
}

const FORBIDDEN: Uint8Array = new Uint8Array(256);
for (let code = 0; code <= 0x20; code++) FORBIDDEN[code] = 1;
for (const character of "\x7f~^:?*[\\") FORBIDDEN[character.charCodeAt(0)] = 1;

const SLASH = 0x2f;
const DOT = 0x2e;

/** Whether `refs/tags/<name>` would be a valid ref. Spec: git-check-ref-format. */
function isTagName(bytes: Uint8Array, at: number, end: number): boolean {
  let previous = SLASH;
  for (let i = at; i < end; i++) {
    const byte = bytes[i] as number;
    if (FORBIDDEN[byte] === 1) return false;
    if (byte === SLASH) {
      if (previous === SLASH || endsInLock(bytes, at, i)) return false;
    } else if (byte === DOT) {
      if (previous === DOT || previous === SLASH) return false;
    } else if (byte === 0x7b && previous === 0x40) return false;
    previous = byte;
  }
  return previous !== SLASH && previous !== DOT && !endsInLock(bytes, at, end);
}

function endsInLock(bytes: Uint8Array, at: number, end: number): boolean {
  return end - at >= 5 && startsWith(bytes, end - 5, end, ".lock");
}

/**
 * What git's parser has against a tag, which is less than what fsck checks.
 * @returns `undefined` when it can be parsed, an empty text when git says nothing more of it
 */
export function tagParseError(
  bytes: Uint8Array,
  start: number,
  end: number,
  idLength: number,
): string | undefined {
  let at = start + "object ".length;
  if (end - start < idLength + 24 || !startsWith(bytes, start, end, "object ")) return "";
  if (!isIdLine(bytes, at, end, idLength)) return "";
  at += idLength + 1;
  if (!startsWith(bytes, at, end, "type ")) return "";
  at += "type ".length;
  const typeEnd = lineFeed(bytes, at, end);
  if (typeEnd < 0 || typeEnd - at >= 20) return "";
  // C's text ends at a NUL.
  const [type = ""] = textOf(bytes, at, typeEnd).split("\0", 1);
  if (!isObjectType(type)) return `unknown tag type '${type}' in`;
  at = typeEnd + 1;
  if (end - at <= 4 || !startsWith(bytes, at, end, "tag ")) return "";
  return lineFeed(bytes, at + "tag ".length, end) < 0 ? "" : undefined;
}

/** Where the line ends, -1 when it does not. */
function lineFeed(bytes: Uint8Array, at: number, end: number): number {
  for (let i = at; i < end; i++) if (bytes[i] === 0x0a) return i;
  return -1;
}
