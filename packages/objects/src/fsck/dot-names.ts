/*
 * Names that a file system takes for `.git` and its kin. A name is `bytes[at … end)`, without NUL; it may hold
 * slashes, and what follows the first is not looked at.
 * NTFS: case and trailing dots and spaces do not count, `:` starts a stream's name, and every long name has a short
 * one, `GIT~1`, made of six letters or, once four are taken, of two letters and a hash. HFS+: case and some code points
 * do not count. Spec: git-config, `core.protectNTFS`, `core.protectHFS`.
 */

/** A name to guard, without its dot and in lower case, and the stem of its short name made with a hash. */
export interface DotName {
  readonly name: string;
  readonly hashed: string;
}

export const GITMODULES: DotName = { name: "gitmodules", hashed: "gi7eba" };
export const GITATTRIBUTES: DotName = { name: "gitattributes", hashed: "gi7d29" };
export const GITIGNORE: DotName = { name: "gitignore", hashed: "gi250a" };
export const MAILMAP: DotName = { name: "mailmap", hashed: "maba30" };

const DOT = 0x2e;
const SPACE = 0x20;
const SLASH = 0x2f;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const TILDE = 0x7e;

/** Whether NTFS, or Windows, takes the name's first component for `.git`. */
export function isNtfsDotGit(bytes: Uint8Array, at: number, end: number): boolean {
  let i: number;
  if (bytes[at] === DOT && matches(bytes, at + 1, end, "git")) i = at + 4;
  else if (matches(bytes, at, end, "git~1")) i = at + 5;
  else return false;
  for (; i < end; i++) {
    const byte = bytes[i];
    if (byte === SLASH || byte === BACKSLASH || byte === COLON) return true;
    if (byte !== DOT && byte !== SPACE) return false;
  }
  return true;
}

/** Whether NTFS takes the name for `dotName`. */
export function isNtfsDotName(bytes: Uint8Array, at: number, end: number, dotName: DotName): boolean {
  const { name, hashed } = dotName;
  if (bytes[at] === DOT && matches(bytes, at + 1, end, name))
    return onlyDotsAndSpaces(bytes, at + 1 + name.length, end);
  if (
    matches(bytes, at, end, name.slice(0, 6)) &&
    at + 8 <= end &&
    bytes[at + 6] === TILDE &&
    isBetween(bytes[at + 7], "1", "4")
  )
    return onlyDotsAndSpaces(bytes, at + 8, end);
  return isHashedShortName(bytes, at, end, hashed) && onlyDotsAndSpaces(bytes, at + 8, end);
}

/** Up to six letters of the stem, `~`, a digit other than 0, and digits: eight in all. */
function isHashedShortName(bytes: Uint8Array, at: number, end: number, hashed: string): boolean {
  if (at + 8 > end) return false;
  let i = 0;
  while (i < 6 && lowerCase(bytes[at + i] as number) === hashed.charCodeAt(i)) i++;
  if (bytes[at + i] !== TILDE || !isBetween(bytes[at + i + 1], "1", "9")) return false;
  for (i += 2; i < 8; i++) if (!isBetween(bytes[at + i], "0", "9")) return false;
  return true;
}

function onlyDotsAndSpaces(bytes: Uint8Array, at: number, end: number): boolean {
  for (let i = at; i < end; i++) {
    if (bytes[i] === COLON) return true;
    if (bytes[i] !== DOT && bytes[i] !== SPACE) return false;
  }
  return true;
}

/** Whether HFS+ takes the name's first component for `.` and `name`, which is in lower case. */
export function isHfsDotName(bytes: Uint8Array, at: number, end: number, name: string): boolean {
  let i = pastIgnored(bytes, at, end);
  if (bytes[i] !== DOT || i >= end) return false;
  for (let k = 0; k < name.length; k++) {
    i = pastIgnored(bytes, i + 1, end);
    if (i >= end || lowerCase(bytes[i] as number) !== name.charCodeAt(k)) return false;
  }
  i = pastIgnored(bytes, i + 1, end);
  return i >= end || bytes[i] === SLASH || !isUtf8Start(bytes, i, end);
}

/** Skips U+200C–200F, 202A–202E, 206A–206F and FEFF. */
function pastIgnored(bytes: Uint8Array, at: number, end: number): number {
  let i = at;
  for (; i + 3 <= end; i += 3) {
    const second = bytes[i + 1] as number;
    const third = bytes[i + 2] as number;
    if (bytes[i] === 0xef) {
      if (second !== 0xbb || third !== 0xbf) return i;
    } else if (bytes[i] === 0xe2) {
      if (second === 0x80) {
        if (!((third >= 0x8c && third <= 0x8f) || (third >= 0xaa && third <= 0xae))) return i;
      } else if (second !== 0x81 || third < 0xaa || third > 0xaf) return i;
    } else return i;
  }
  return i;
}

/** Whether a code point of UTF-8 stands at `at`; git takes anything else for the name's end. */
function isUtf8Start(bytes: Uint8Array, at: number, end: number): boolean {
  const first = bytes[at] as number;
  if (first < 0x80) return true;
  const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || at + length > end) return false;
  for (let i = at + 1; i < at + length; i++) if (((bytes[i] as number) & 0xc0) !== 0x80) return false;
  const second = bytes[at + 1] as number;
  switch (first) {
    case 0xe0: // overlong
      return second >= 0xa0;
    case 0xed: // surrogate
      return second < 0xa0;
    case 0xef: // U+FFFE, U+FFFF
      return second !== 0xbf || ((bytes[at + 2] as number) & 0xfe) !== 0xbe;
    case 0xf0: // overlong
      return second >= 0x90;
    case 0xf4: // above U+10FFFF
      return second < 0x90;
    default:
      return true;
  }
}

/** Whether `text`, in lower case, stands at `at` in any case. */
function matches(bytes: Uint8Array, at: number, end: number, text: string): boolean {
  if (at + text.length > end) return false;
  for (let i = 0; i < text.length; i++)
    if (lowerCase(bytes[at + i] as number) !== text.charCodeAt(i)) return false;
  return true;
}

function lowerCase(byte: number): number {
  return byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte;
}

function isBetween(byte: number | undefined, low: string, high: string): boolean {
  return byte !== undefined && byte >= low.charCodeAt(0) && byte <= high.charCodeAt(0);
}
