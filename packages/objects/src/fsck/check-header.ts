import type { Report } from "./report.ts";
import { isDigit } from "./scan.ts";

const NUL = 0;
const LF = 0x0a;
const SPACE = 0x20;
const TAB = 0x09;
const LESS = 0x3c;
const GREATER = 0x3e;
const ZERO = 0x30;
const PLUS = 0x2b;
const MINUS = 0x2d;

/** Whether there is a NUL in `bytes[at … end)`. */
export function hasNul(bytes: Uint8Array, at: number, end: number): boolean {
  // A view, so that the search ends with the object.
  return bytes.subarray(at, end).indexOf(0) >= 0;
}

/**
 * Whether the header of a commit or tag ends as it has to: no NUL in it, and an empty line or the end of the object
 * after a line feed. What reads it afterwards may rely on every line of it having an end. `nul` tells whether the object
 * has a NUL anywhere.
 */
export function checkHeaderEnd(
  bytes: Uint8Array,
  at: number,
  end: number,
  nul: boolean,
  report: Report,
): boolean {
  if (!nul && end > at && bytes[end - 1] === LF) return true;
  for (let i = at; i < end; i++) {
    const byte = bytes[i] as number;
    if (byte > LF) continue;
    if (byte === NUL) {
      report.add("nulInHeader", `unterminated header: NUL at offset ${i - at}`);
      return false;
    }
    if (byte === LF && i + 1 < end && bytes[i + 1] === LF) return true;
  }
  if (end > at && bytes[end - 1] === LF) return true;
  report.add("unterminatedHeader", "unterminated header");
  return false;
}

/**
 * Checks who and when: `name <mail> seconds zone`, from `at` on to the line's end. @returns whether git goes on
 */
export function checkIdent(bytes: Uint8Array, at: number, end: number, report: Report): boolean {
  let i = at;
  if (bytes[i] === LESS) return !report.add("missingNameBeforeEmail", text("missing space before email"));
  for (; bytes[i] !== LESS; i++) {
    if (i >= end || bytes[i] === LF) return !report.add("missingEmail", text("missing email"));
    if (bytes[i] === GREATER) return !report.add("badName", text("bad name"));
  }
  if (bytes[i - 1] !== SPACE)
    return !report.add("missingSpaceBeforeEmail", text("missing space before email"));
  for (i++; bytes[i] !== GREATER; i++)
    if (i >= end || bytes[i] === LESS || bytes[i] === LF) return !report.add("badEmail", text("bad email"));
  if (bytes[++i] !== SPACE) return !report.add("missingSpaceBeforeDate", text("missing space before date"));
  i++;
  while (bytes[i] === SPACE || bytes[i] === TAB) i++;
  const dateAt = i;
  if (!isDigit(bytes[i])) return !report.add("badDate", text("bad date"));
  if (bytes[i] === ZERO && bytes[i + 1] !== SPACE)
    return !report.add("zeroPaddedDate", text("zero-padded date"));
  while (isDigit(bytes[i])) i++;
  if (overflows(bytes, dateAt, i))
    return !report.add("badDateOverflow", text("date causes integer overflow"));
  if (bytes[i] !== SPACE) return !report.add("badDate", text("bad date"));
  i++;
  const signed = bytes[i] === PLUS || bytes[i] === MINUS;
  const zoned =
    signed &&
    isDigit(bytes[i + 1]) &&
    isDigit(bytes[i + 2]) &&
    isDigit(bytes[i + 3]) &&
    isDigit(bytes[i + 4]) &&
    bytes[i + 5] === LF;
  return zoned || !report.add("badTimezone", text("bad time zone"));
}

function text(what: string): string {
  return `invalid author/committer line - ${what}`;
}

const MAX_TIME = "9223372036854775807";

/** Whether the digits are more than 64 signed bits can say. */
function overflows(bytes: Uint8Array, at: number, end: number): boolean {
  if (end - at !== MAX_TIME.length) return end - at > MAX_TIME.length;
  for (let i = 0; i < MAX_TIME.length; i++) {
    const difference = (bytes[at + i] as number) - MAX_TIME.charCodeAt(i);
    if (difference !== 0) return difference > 0;
  }
  return false;
}
