import { open } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { systemCode } from "../errors.ts";
import type { Draft } from "../journal/draft.ts";
import { fromBytePath, parentOf } from "./byte-path.ts";
import { type OpenFile, open as openQuickly, rename, unlink } from "./quick-files.ts";
import { type SharedAccess, share } from "./shared-access.ts";

/**
 * Git's lock on a file: whoever creates `<path>.lock` may change `<path>`, by writing the lock file and renaming it.
 * C git keeps to the same rule, so this holds between processes. Spec: api-lockfile (git's own documentation).
 */
export interface LockFile {
  /** What is locked. A byte path, see `byte-path.ts`. */
  readonly path: string;
  /** What it was made from has the new content already. */
  readonly written: boolean;
  /** Writes the new content and waits until it has reached the disk, if that is asked for. No descriptor stays open. */
  write(chunks: Iterable<Uint8Array>): Promise<void>;
  /** Puts the written content in place of the file; the lock is gone. `syncDirectories` makes that last. */
  commit(): Promise<void>;
  /** Gives the lock up without a change. Harmless when it is gone already. */
  release(): Promise<void>;
}

/** How {@link lockFile} goes about it. */
export interface LockFileOptions {
  /** How long to wait for somebody else. Unit: milliseconds; below zero for ever. */
  readonly timeoutMs: number;
  /** What the file shall hold, written already. It tells that the lock is ours, should this process die; used up in any case. */
  readonly draft?: Draft | undefined;
  /** What others may do with the file, where there is no draft to tell. */
  readonly access?: SharedAccess | undefined;
  /** Whether {@link LockFile.write} waits until what it wrote has reached the disk; yes when not given. */
  readonly sync?: boolean | undefined;
}

/** How long C git sleeps at most between two tries. Unit: milliseconds. */
const MAX_PAUSE_MS = 1000;

/**
 * Locks `path`. A lock of somebody else's is waited for, never broken.
 * @returns `undefined` when it is still held after `timeoutMs`
 * @throws what the system throws for anything but a held lock, `ENOENT` for a missing directory for example
 */
export async function lockFile(path: string, options: LockFileOptions): Promise<LockFile | undefined> {
  const { timeoutMs, draft, access, sync = true } = options;
  const started = performance.now();
  try {
    for (let attempt = 1; ; attempt++) {
      const got =
        draft === undefined ? await create(`${path}.lock`, access) : await draft.linkTo(`${path}.lock`);
      if (got === "unable") return await lockFile(path, { timeoutMs, access, sync });
      if (got === "locked") return heldLock(path, draft, sync);
      const left = timeoutMs < 0 ? MAX_PAUSE_MS : started + timeoutMs - performance.now();
      if (left <= 0) break;
      // As C git does: pauses grow as squares, and vary so that two waiters do not keep meeting.
      const pause = Math.min(attempt * attempt, MAX_PAUSE_MS) * (0.75 + Math.random() / 2);
      await sleep(Math.min(pause, left));
    }
  } catch (error) {
    await draft?.drop();
    throw error;
  }
  await draft?.drop();
  return undefined;
}

async function create(lockPath: string, access: SharedAccess | undefined): Promise<"locked" | "taken"> {
  try {
    await (await openQuickly(fromBytePath(lockPath), "wx", 0o666)).close();
    await share(fromBytePath(lockPath), access);
    return "locked";
  } catch (error) {
    if (systemCode(error) !== "EEXIST") throw error;
    return "taken";
  }
}

function heldLock(path: string, draft: Draft | undefined, sync: boolean): LockFile {
  const lockPath = fromBytePath(`${path}.lock`);
  let held = true;
  return {
    path,
    written: draft !== undefined,
    async write(chunks) {
      await writeWhole(await open(lockPath, "r+"), chunks, sync);
    },
    async commit() {
      await rename(lockPath, fromBytePath(path));
      held = false;
      await draft?.drop();
    },
    async release() {
      if (!held) return;
      held = false;
      await unlink(lockPath);
      await draft?.drop();
    },
  };
}

/** Writes `chunks` from the start of `file`, waits for the disk if `sync`, and closes it, whatever happens. */
export async function writeWhole(file: OpenFile, chunks: Iterable<Uint8Array>, sync: boolean): Promise<void> {
  try {
    for (const chunk of chunks) await file.writeFile(chunk);
    if (sync) await file.sync();
  } finally {
    await file.close();
  }
}

/** Writes `chunks` from the start of `file`, waits for the disk and closes it, whatever happens. */
export async function writeDurably(file: OpenFile, chunks: Iterable<Uint8Array>): Promise<void> {
  await writeWhole(file, chunks, true);
}

/** Makes creations, renames and removals in these directories last. Byte paths; one that is gone counts as done. */
export async function syncDirectories(directories: Iterable<string>): Promise<void> {
  await Promise.all([...new Set(directories)].map(syncDirectory));
}

async function syncDirectory(directory: string): Promise<void> {
  let handle: OpenFile;
  try {
    handle = await openQuickly(fromBytePath(directory === "" ? "/" : directory), "r");
  } catch (error) {
    // Its own removal is what has to last then.
    const code = systemCode(error);
    if (code === "ENOENT" || code === "ENOTDIR") return syncDirectory(parentOf(directory));
    throw error;
  }
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
