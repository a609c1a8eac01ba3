import { readFileSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, resolve } from "node:path";
import { ObjectsError, parseFsckSkipList } from "@x/objects";
import { systemCode } from "../errors.ts";
import type { StoreLocation } from "../pool/worker-protocol.ts";

/** Together; one id and its line take 41. Unit: bytes. */
const MAX_SKIP_LIST_BYTES = 64 * 1024 * 1024;

/**
 * The ids in skip lists, as `createFsck` takes them.
 * @throws ObjectsError `objects/bad-setting` when one cannot be read. Spec: git-config, `receive.fsck.skipList`.
 */
export function readSkipLists(
  paths: readonly string[],
  { shallowFile, format }: StoreLocation,
): Uint8Array | undefined {
  if (paths.length === 0) return undefined;
  const lists: Uint8Array[] = [];
  let bytes = 0;
  for (const path of paths) {
    const home = path.startsWith("~/") ? `${homedir()}/${path.slice(2)}` : path;
    const full = resolve(dirname(shallowFile), home);
    try {
      bytes += statSync(full).size;
      if (bytes > MAX_SKIP_LIST_BYTES) throw unreadable("too long", path);
      lists.push(parseFsckSkipList(readFileSync(full), format));
    } catch (error) {
      const why = error instanceof ObjectsError ? undefined : systemCode(error);
      throw why === undefined ? error : unreadable(why, path, error);
    }
  }
  return Buffer.concat(lists);
}

function unreadable(why: string, path: string, cause?: unknown): ObjectsError {
  return new ObjectsError("objects/bad-setting", `could not open object name list: ${path} (${why})`, {
    cause,
  });
}
