import { readFile } from "node:fs/promises";
import { type ObjectFormat, type ObjectId, ObjectsError } from "@x/objects";
import { parentOf, toBytePath } from "../disk/byte-path.ts";
import { type Durability, syncsOf } from "../disk/durability.ts";
import { lockFile, syncDirectories } from "../disk/lock-file.ts";
import type { SharedAccess } from "../disk/shared-access.ts";
import { systemCode } from "../errors.ts";
import { Journal } from "../journal/journal.ts";
import { parseShallow } from "./shallow-file.ts";

/** How long to wait for `shallow.lock`. C git does not. Unit: milliseconds. */
const LOCK_TIMEOUT_MS = 1000;

interface ShallowLocation {
  readonly shallowFile: string;
  readonly format: ObjectFormat;
  readonly durability?: Durability | undefined;
  readonly access?: SharedAccess | undefined;
}

/**
 * Adds commits to those whose parents a repository lacks on purpose, under git's lock.
 * @throws ObjectsError `objects/unavailable` when it is held by somebody else, or the disk fails
 */
export async function addToShallowFile(location: ShallowLocation, ids: readonly ObjectId[]): Promise<void> {
  const path = toBytePath(location.shallowFile);
  const { refs: sync } = syncsOf(location.durability ?? "full");
  const journal = new Journal(parentOf(path), sync, location.access);
  try {
    // A lock that a dead process left; what it wanted of refs waits for those who open them.
    for (const intent of await journal.takeOver()) await intent.abandon();
    const draft = await journal.draft(path, new Uint8Array());
    const lock = await lockFile(path, { timeoutMs: LOCK_TIMEOUT_MS, draft, sync, access: location.access });
    if (lock === undefined) throw new Error("somebody else holds shallow.lock");
    try {
      const known = await readKnown(location);
      const all = new Set([...known, ...ids]);
      if (all.size === known.length) return;
      await lock.write([Buffer.from([...all].map((id) => `${id}\n`).join(""), "latin1")]);
      await lock.commit();
    } finally {
      await lock.release();
    }
    if (sync) await syncDirectories([parentOf(path)]);
  } catch (cause) {
    throw new ObjectsError("objects/unavailable", "the shallow commits could not be written", { cause });
  }
}

/** A file that is there and cannot be read must not be replaced. */
async function readKnown({ shallowFile, format }: ShallowLocation): Promise<ObjectId[]> {
  const text = await readFile(shallowFile, "latin1").catch((error: unknown) => {
    if (systemCode(error) !== "ENOENT") throw error;
    return "";
  });
  return parseShallow(text, format);
}
