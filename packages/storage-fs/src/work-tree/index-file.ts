import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import type { ObjectFormat } from "@x/objects";
import { StorageFsError, systemCode } from "../errors.ts";
import { decodeIndex } from "./decode-index.ts";
import type { Index } from "./index-entry.ts";

/** Largest index that is read: it is held in memory. Unit: bytes. */
const MAX_INDEX_BYTES = 512 * 1024 * 1024;

/** An index, and when it was written. */
export interface ReadIndex extends Index {
  /** Unit: nanoseconds since 1970. */
  readonly mtimeNs: bigint;
}

/**
 * Reads the index at `path`; one that is not there is empty.
 * @param version of an index that is not there
 * @throws StorageFsError `storage-fs/bad-index`, `storage-fs/unsupported-index`
 */
export function readIndexFile(path: string, format: ObjectFormat, version: Index["version"]): ReadIndex {
  let descriptor: number;
  try {
    descriptor = openSync(path, "r");
  } catch (error) {
    if (systemCode(error) !== "ENOENT") throw error;
    return { version, entries: [], tree: undefined, mtimeNs: 0n };
  }
  try {
    const { size, mtimeNs } = fstatSync(descriptor, { bigint: true });
    if (size > MAX_INDEX_BYTES)
      throw new StorageFsError("storage-fs/bad-index", `the index is larger than ${MAX_INDEX_BYTES} bytes`);
    const bytes = Buffer.allocUnsafe(Number(size));
    let length = 0;
    while (length < bytes.length) {
      const read = readSync(descriptor, bytes, length, bytes.length - length, length);
      if (read === 0) break;
      length += read;
    }
    return { ...decodeIndex(bytes.subarray(0, length), format), mtimeNs };
  } finally {
    closeSync(descriptor);
  }
}
