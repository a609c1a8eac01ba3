import type { Report } from "./report.ts";
import type { TreeNames } from "./tree-names.ts";
import { TreeOrder } from "./tree-order.ts";

/*
 * A tree is a run of entries: <mode in octal ASCII> SP <name> NUL <raw object id>
 */

const SPACE = 0x20;
const ZERO = 0x30;
const SEVEN = 0x37;

const TYPE_MASK = 0o170000;
const TREE = 0o40000;

/** Bytes that make a name worth a second look: `/`, `\`, `~` (short names) and, at its start, `.` and what HFS+ ignores. */
const SPECIAL: Uint8Array = new Uint8Array(256);
for (const byte of [0x2f, 0x5c, 0x7e]) SPECIAL[byte] = 1;
const SPECIAL_FIRST: Uint8Array = SPECIAL.slice();
for (const byte of [0x2e, 0xe2, 0xef]) SPECIAL_FIRST[byte] = 1;

/** Checks trees, one after the other, without making anything of an entry that is as it should be. */
export class TreeCheck {
  readonly #idLength: number;
  readonly #maxNameBytes: number;
  readonly #report: Report;
  readonly #names: TreeNames;
  readonly #order = new TreeOrder();

  /** `idLength` and `maxNameBytes` in bytes. */
  constructor(idLength: number, maxNameBytes: number, report: Report, names: TreeNames) {
    this.#idLength = idLength;
    this.#maxNameBytes = maxNameBytes;
    this.#report = report;
    this.#names = names;
  }

  check(bytes: Uint8Array, start: number, end: number): void {
    const idLength = this.#idLength;
    const maxNameBytes = this.#maxNameBytes;
    const names = this.#names;
    const order = this.#order;
    names.begin();
    order.begin();
    let zeroPadded = false;
    let badMode = false;
    let nullId = false;
    let largeName = false;
    let duplicate = false;
    let unsorted = false;
    let problem: string | undefined;
    // The entry at hand, and what is wrong with it that counts once the next can be read.
    let mode = -1;
    let nameAt = start;
    let nameEnd = start;
    let special = 0;
    let repeats = false;
    let misplaced = false;
    let at = start;
    const terminated = bytes[end - idLength - 1] === 0;
    while (at < end) {
      const entryAt = at;
      if (!terminated || end - at < idLength + 3) {
        problem = "too-short tree object";
        break;
      }
      // From here on the NUL before the last id ends every loop.
      let nextMode = usualMode(bytes, at);
      if (nextMode >= 0) at += nextMode === TREE ? 5 : 6;
      else {
        nextMode = 0;
        for (let digit = bytes[at] as number; digit >= ZERO && digit <= SEVEN; digit = bytes[++at] as number)
          nextMode = (nextMode << 3) + digit - ZERO;
        if (bytes[at] !== SPACE || at === entryAt) {
          problem = "malformed mode in tree entry";
          break;
        }
        nextMode &= 0xffff;
      }
      if (bytes[at + 1] === 0) {
        problem = "empty filename in tree entry";
        break;
      }
      const beforeMode = mode;
      if (beforeMode >= 0) {
        badMode ||= !isUsualMode(beforeMode);
        duplicate ||= repeats;
        unsorted ||= misplaced;
      }
      const beforeAt = nameAt;
      const beforeEnd = nameEnd;
      mode = nextMode;
      nameAt = ++at;
      let i = beforeAt;
      while (i < beforeEnd && bytes[i] === bytes[at]) {
        i++;
        at++;
      }
      const differsAt = at;
      // What begins as a harmless name does is harmless so far.
      if (special !== 0) at = nameAt;
      special = at === nameAt ? (SPECIAL_FIRST[bytes[at] as number] as number) : 0;
      for (let byte = bytes[at] as number; byte !== 0; byte = bytes[++at] as number)
        special |= SPECIAL[byte] as number;
      nameEnd = at;
      if (i < beforeEnd && differsAt < nameEnd) {
        repeats = false;
        misplaced = (bytes[i] as number) > (bytes[differsAt] as number);
      } else if (beforeMode >= 0) {
        const is = order.compare(
          bytes,
          beforeAt,
          beforeEnd,
          isTree(beforeMode),
          nameAt,
          nameEnd,
          isTree(mode),
        );
        repeats = is === "duplicate";
        misplaced = is === "unsorted";
      }
      if (bytes[entryAt] === ZERO) zeroPadded = true;
      if (nameEnd - nameAt > maxNameBytes) largeName = true;
      if (bytes[++at] === 0 && isNull(bytes, at, idLength)) nullId = true;
      if (special !== 0) names.examine(bytes, nameAt, nameEnd, mode);
      at += idLength;
    }
    const report = this.#report;
    if (problem !== undefined) report.add("badTree", "cannot be parsed as a tree", problem);
    else if (mode >= 0) {
      badMode ||= !isUsualMode(mode);
      duplicate ||= repeats;
      unsorted ||= misplaced;
    }
    if (nullId) report.add("nullSha1", "contains entries pointing to null sha1");
    names.conclude();
    if (zeroPadded) report.add("zeroPaddedFilemode", "contains zero-padded file modes");
    if (badMode) report.add("badFilemode", "contains bad file modes");
    if (duplicate) report.add("duplicateEntries", "contains duplicate file entries");
    if (unsorted) report.add("treeNotSorted", "not properly sorted");
    if (largeName) report.add("largePathname", "contains excessively large pathname");
  }
}

/** The mode at `at` when it has the usual length, six digits or `40000`, and a space follows; otherwise -1. */
function usualMode(bytes: Uint8Array, at: number): number {
  const a = (bytes[at + 1] as number) - ZERO;
  const b = (bytes[at + 2] as number) - ZERO;
  const c = (bytes[at + 3] as number) - ZERO;
  const d = (bytes[at + 4] as number) - ZERO;
  if (bytes[at] === 0x31) {
    const e = (bytes[at + 5] as number) - ZERO;
    // What is no digit has other bits.
    if (bytes[at + 6] !== SPACE || (a | b | c | d | e) >>> 3 !== 0) return -1;
    return 0o100000 | (a << 12) | (b << 9) | (c << 6) | (d << 3) | e;
  }
  return bytes[at] === 0x34 && (a | b | c | d) === 0 && bytes[at + 5] === SPACE ? TREE : -1;
}

function isTree(mode: number): boolean {
  return (mode & TYPE_MASK) === TREE;
}

function isUsualMode(mode: number): boolean {
  switch (mode) {
    case 0o100644:
    case 0o100755:
    case 0o120000:
    case 0o40000:
    case 0o160000:
      return true;
    default:
      return false;
  }
}

function isNull(bytes: Uint8Array, at: number, length: number): boolean {
  for (let i = at; i < at + length; i++) if (bytes[i] !== 0) return false;
  return true;
}
