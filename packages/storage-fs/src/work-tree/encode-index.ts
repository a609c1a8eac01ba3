import { type ObjectFormat, objectIdToBytes, rawIdLength } from "@x/objects";
import { createNodeHasher } from "@x/objects/node";
import type { Index, IndexEntry } from "./index-entry.ts";

/** What an index file is written with. */
export interface EncodeIndexOptions {
  readonly format: ObjectFormat;
  /** Zeros instead of a hash. Spec: git-config, `index.skipHash`. */
  readonly skipHash: boolean;
  /** The content of the extension that lists the trees the entries make up. Spec: gitformat-index, "Cache tree". */
  readonly cacheTree?: Uint8Array | undefined;
}

/** Bytes put together before they are handed on. */
const CHUNK_BYTES = 64 * 1024;

/**
 * The bytes of an index file, in chunks. Version 3 becomes 2 where no entry needs it, and 2 becomes 3 where one does.
 * Spec: gitformat-index.
 */
export function* encodeIndex(
  { version, entries }: Pick<Index, "version" | "entries">,
  { format, skipHash, cacheTree }: EncodeIndexOptions,
): Generator<Uint8Array, void> {
  const hasher = createNodeHasher(format);
  const isExtended = entries.some((entry) => entry.skipWorktree || entry.intentToAdd);
  const written = version === 4 ? 4 : isExtended ? 3 : 2;
  const header = Buffer.alloc(12);
  header.write("DIRC", "latin1");
  header.writeUInt32BE(written, 4);
  header.writeUInt32BE(entries.length, 8);
  let parts: Uint8Array[] = [header];
  let size = header.length;
  let previous: Buffer = Buffer.alloc(0);
  const flush = (): Uint8Array => {
    const chunk = Buffer.concat(parts);
    hasher.update(chunk);
    parts = [];
    size = 0;
    return chunk;
  };
  for (const entry of entries) {
    const path = Buffer.from(entry.path, "latin1");
    const part = encodeEntry(entry, path, format, written === 4 ? previous : undefined);
    previous = path;
    parts.push(part);
    size += part.length;
    if (size >= CHUNK_BYTES) yield flush();
  }
  if (cacheTree !== undefined) {
    const head = Buffer.alloc(8);
    head.write("TREE", "latin1");
    head.writeUInt32BE(cacheTree.length, 4);
    parts.push(head, cacheTree);
  }
  yield flush();
  yield skipHash ? new Uint8Array(rawIdLength(format)) : hasher.digest();
}

/** @param previous the path before, of which version 4 leaves away what is common */
function encodeEntry(
  entry: IndexEntry,
  path: Buffer,
  format: ObjectFormat,
  previous: Buffer | undefined,
): Buffer {
  const extended = (entry.skipWorktree ? 0x4000 : 0) | (entry.intentToAdd ? 0x2000 : 0);
  const flagsAt = 40 + rawIdLength(format);
  const pathAt = flagsAt + (extended === 0 ? 2 : 4);
  const common = previous === undefined ? 0 : commonLength(previous, path);
  const cut = previous === undefined ? Buffer.alloc(0) : encodeCut(previous.length - common);
  const end = pathAt + cut.length + path.length - common;
  const bytes = Buffer.alloc(previous === undefined ? (end + 8) & ~7 : end + 1);
  const { stat } = entry;
  const numbers = [stat.ctimeSeconds, stat.ctimeNanoseconds, stat.mtimeSeconds, stat.mtimeNanoseconds];
  numbers.push(stat.device, stat.inode, entry.mode, stat.uid, stat.gid, stat.size);
  numbers.forEach((number, i) => {
    bytes.writeUInt32BE(number, 4 * i);
  });
  bytes.set(objectIdToBytes(entry.id), 40);
  const flags =
    (entry.assumeValid ? 0x8000 : 0) |
    (extended === 0 ? 0 : 0x4000) |
    (entry.stage << 12) |
    Math.min(path.length, 0xfff);
  bytes.writeUInt16BE(flags, flagsAt);
  if (extended !== 0) bytes.writeUInt16BE(extended, flagsAt + 2);
  bytes.set(cut, pathAt);
  path.copy(bytes, pathAt + cut.length, common);
  return bytes;
}

function commonLength(some: Buffer, other: Buffer): number {
  const most = Math.min(some.length, other.length);
  let length = 0;
  while (length < most && some[length] === other[length]) length++;
  return length;
}

function encodeCut(length: number): Buffer {
  const bytes = [length & 0x7f];
  for (let rest = Math.floor(length / 128); rest > 0; rest = Math.floor(rest / 128)) {
    rest--;
    bytes.unshift(0x80 | (rest & 0x7f));
  }
  return Buffer.from(bytes);
}
