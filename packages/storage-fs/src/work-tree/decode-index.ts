import { type ObjectFormat, type ObjectId, objectIdFromBytes, parseObjectId, rawIdLength } from "@x/objects";
import { createNodeHasher } from "@x/objects/node";
import { StorageFsError } from "../errors.ts";
import { GITLINK, type Index, type IndexEntry, REGULAR, SYMLINK, TYPE_MASK } from "./index-entry.ts";

/*
 * "DIRC", version, count, each of 32 bits; the entries; extensions: four letters, size, content; the hash of all that.
 * An entry: ten numbers of 32 bits, the raw id, 16 bits of flags, from version 3 on perhaps 16 more, the path.
 * Versions 2 and 3 end it with 1 to 8 NULs, so that its length divides by 8. Version 4 writes of the path how much of the
 * one before is cut off at its end, as pack entries write offsets, then what follows instead, and one NUL.
 */

const HEADER_BYTES = 12;
const STAT_BYTES = 40;

const ASSUME_VALID = 0x8000;
const EXTENDED = 0x4000;
const LENGTH_MASK = 0xfff;
const SKIP_WORKTREE = 0x4000;
const INTENT_TO_ADD = 0x2000;
const KNOWN_EXTENDED = SKIP_WORKTREE | INTENT_TO_ADD;

/**
 * Reads an index file. Of the extensions only what is said of the whole tree is taken.
 * Spec: gitformat-index.
 * @throws StorageFsError `storage-fs/bad-index`; `storage-fs/unsupported-index` for a split or sparse one and for
 * extensions that must not be ignored
 */
export function decodeIndex(bytes: Buffer, format: ObjectFormat): Index {
  const end = bytes.length - rawIdLength(format);
  if (end < HEADER_BYTES || bytes.toString("latin1", 0, 4) !== "DIRC") throw bad("it has no header");
  const version = bytes.readUInt32BE(4);
  if (version !== 2 && version !== 3 && version !== 4)
    throw new StorageFsError("storage-fs/unsupported-index", `index version ${version} is not known`);
  checkHash(bytes, end, format);
  const count = bytes.readUInt32BE(8);
  const entries: IndexEntry[] = [];
  let at = HEADER_BYTES;
  let previous: Buffer = Buffer.alloc(0);
  for (let i = 0; i < count; i++) {
    const before = entries.at(-1);
    const read = decodeEntry(bytes, at, end, { format, version, previous });
    if (before !== undefined && !isAfter(read.entry, before)) throw bad("its entries are not in order");
    entries.push(read.entry);
    previous = read.path;
    at = read.next;
  }
  return { version, entries, tree: readExtensions(bytes, at, end, format, count) };
}

interface Context {
  readonly format: ObjectFormat;
  readonly version: number;
  readonly previous: Buffer;
}

function decodeEntry(
  bytes: Buffer,
  at: number,
  end: number,
  { format, version, previous }: Context,
): { entry: IndexEntry; path: Buffer; next: number } {
  const flagsAt = at + STAT_BYTES + rawIdLength(format);
  if (flagsAt + 2 > end) throw bad("it stops short");
  const flags = bytes.readUInt16BE(flagsAt);
  let pathAt = flagsAt + 2;
  let extended = 0;
  if (flags & EXTENDED) {
    if (version === 2 || pathAt + 2 > end) throw bad("an entry has flags that its version does not");
    extended = bytes.readUInt16BE(pathAt);
    if (extended & ~KNOWN_EXTENDED)
      throw new StorageFsError("storage-fs/unsupported-index", "an index entry has flags that are not known");
    pathAt += 2;
  }
  let kept = 0;
  if (version === 4) {
    const cut = decodeCut(bytes, pathAt, end);
    kept = previous.length - cut.value;
    if (kept < 0) throw bad("a path is cut shorter than it is");
    pathAt = cut.next;
  }
  const pathEnd = bytes.indexOf(0, pathAt);
  if (pathEnd < 0 || pathEnd >= end) throw bad("it stops short");
  const rest = bytes.subarray(pathAt, pathEnd);
  const path = kept === 0 ? rest : Buffer.concat([previous.subarray(0, kept), rest]);
  if (path.length === 0) throw split(); // it replaces one of the shared index
  if (Math.min(path.length, LENGTH_MASK) !== (flags & LENGTH_MASK))
    throw bad("a path is not as long as it says");
  const next = version === 4 ? pathEnd + 1 : at + ((pathEnd - at + 8) & ~7);
  if (next > end) throw bad("it stops short");
  const number = (i: number) => bytes.readUInt32BE(at + 4 * i);
  const entry: IndexEntry = {
    path: path.toString("latin1"),
    mode: checkedMode(number(6)),
    id: objectIdFromBytes(bytes, format, at + STAT_BYTES),
    stat: {
      ctimeSeconds: number(0),
      ctimeNanoseconds: number(1),
      mtimeSeconds: number(2),
      mtimeNanoseconds: number(3),
      device: number(4),
      inode: number(5),
      uid: number(7),
      gid: number(8),
      size: number(9),
    },
    stage: (flags >> 12) & 3,
    assumeValid: (flags & ASSUME_VALID) !== 0,
    skipWorktree: (extended & SKIP_WORKTREE) !== 0,
    intentToAdd: (extended & INTENT_TO_ADD) !== 0,
  };
  return { entry, path, next };
}

/** How much of a path is cut off. Written as pack entries write offsets: no number in two ways. */
function decodeCut(bytes: Buffer, at: number, end: number): { value: number; next: number } {
  let next = at;
  let value = 0;
  for (;;) {
    if (next >= end) throw bad("it stops short");
    const byte = bytes[next++] as number;
    value = value * 128 + (byte & 0x7f);
    if (!(byte & 0x80)) return { value, next };
    value++;
    if (value > bytes.length) throw bad("a path is cut shorter than it is");
  }
}

function checkedMode(mode: number): number {
  if (mode === (REGULAR | 0o644) || mode === (REGULAR | 0o755) || mode === SYMLINK || mode === GITLINK)
    return mode;
  const type = mode & TYPE_MASK;
  if (type === 0o040000)
    throw new StorageFsError(
      "storage-fs/unsupported-index",
      "the index is sparse: it holds whole directories",
    );
  if (type === REGULAR) return REGULAR | (mode & 0o100 ? 0o755 : 0o644);
  throw bad("an entry has a mode that is none");
}

function isAfter(entry: IndexEntry, before: IndexEntry): boolean {
  if (entry.path !== before.path) return entry.path > before.path;
  return before.stage > 0 && entry.stage >= before.stage;
}

/** All zero stands for "not made": `index.skipHash`. */
function checkHash(bytes: Buffer, end: number, format: ObjectFormat): void {
  const stored = bytes.subarray(end);
  if (stored.every((byte) => byte === 0)) return;
  const hasher = createNodeHasher(format);
  hasher.update(bytes.subarray(0, end));
  if (!stored.equals(hasher.digest())) throw bad("its hash does not fit");
}

function readExtensions(
  bytes: Buffer,
  from: number,
  end: number,
  format: ObjectFormat,
  count: number,
): ObjectId | undefined {
  let tree: ObjectId | undefined;
  for (let at = from; at < end; ) {
    if (at + 8 > end) throw bad("an extension stops short");
    const name = bytes.toString("latin1", at, at + 4);
    const next = at + 8 + bytes.readUInt32BE(at + 4);
    if (next > end) throw bad("an extension stops short");
    if (name === "link") throw split();
    if (name === "sdir") throw new StorageFsError("storage-fs/unsupported-index", "the index is sparse");
    if (!/^[A-Z]/.test(name))
      throw new StorageFsError(
        "storage-fs/unsupported-index",
        `the index has an extension ${JSON.stringify(name)}`,
      );
    if (name === "TREE") tree = rootTree(bytes.subarray(at + 8, next), format, count);
    at = next;
  }
  return tree;
}

/** The root of the cached trees, when it covers every entry. Spec: gitformat-index, "Cache tree". */
function rootTree(bytes: Buffer, format: ObjectFormat, count: number): ObjectId | undefined {
  const head = /^\0(\d{1,10}) \d{1,10}\n/.exec(bytes.toString("latin1", 0, 32));
  if (head === null || Number(head[1]) !== count) return undefined;
  const at = head[0].length;
  return parseObjectId(bytes.toString("hex", at, at + rawIdLength(format)), format);
}

function split(): StorageFsError {
  return new StorageFsError("storage-fs/unsupported-index", "the index is split");
}

function bad(why: string): StorageFsError {
  return new StorageFsError("storage-fs/bad-index", `the index file is damaged: ${why}`);
}
