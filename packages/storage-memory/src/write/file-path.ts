import { byteStringFromBytes, bytesFromByteString } from "@x/refs";
import { StorageMemoryError } from "../errors.ts";

/** Git refuses deeper trees. */
const MAX_DEPTH = 2048;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/**
 * The names on the way to a file, byte-exact: one character for each byte.
 * @throws StorageMemoryError `storage-memory/bad-path` for what git would not check out: empty names, `.`, `..`, `.git`
 */
export function splitPath(path: string): readonly string[] {
  const names = byteStringFromBytes(encoder.encode(path)).split("/");
  if (names.length > MAX_DEPTH || names.some(isBadName))
    throw new StorageMemoryError("storage-memory/bad-path", `not a path for a file: ${path.slice(0, 256)}`);
  return names;
}

function isBadName(name: string): boolean {
  return name === "" || name === "." || name === ".." || /^\.git$/i.test(name) || name.includes("\0");
}

/** A path as people write it. Bytes that are no UTF-8 read as U+FFFD. */
export function shownPath(path: string): string {
  return decoder.decode(bytesFromByteString(path));
}
