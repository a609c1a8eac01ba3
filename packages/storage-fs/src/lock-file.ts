import type { FileHandle } from "node:fs/promises";
import { open, rename, unlink } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { fromBytePath, parentOf } from "./byte-path.ts";
import { systemCode } from "./errors.ts";

/**
 * Git's lock on a file: whoever creates `<path>.lock` may change `<path>`, by writing the lock file and renaming it.
 * C git keeps to the same rule, so this holds between processes. Spec: api-lockfile (git's own documentation).
 */
export interface LockFile {
  /** What is locked. A byte path, see `byte-path.ts`. */
  readonly path: string;
  /** Writes the new content and waits until it has reached the disk. No descriptor stays open. */
  write(chunks: Iterable<Uint8Array>): Promise<void>;
  /** Puts the written content in place of the file; the lock is gone. `syncDirectories` makes that last. */
  commit(): Promise<void>;
  /** Gives the lock up without a change. Harmless when it is gone already. */
  release(): Promise<void>;
}

/** How long C git sleeps at most between two tries. Unit: milliseconds. */
const MAX_PAUSE_MS = 1000;

/**
 * Locks `path`. A lock of somebody else's is waited for, never broken.
 * @returns `undefined` when it is still held after `timeoutMs`; below zero waits for ever
 * @throws what the system throws for anything but a held lock, `ENOENT` for a missing directory for example
 */
export async function lockFile(
  path: string,
  options: { readonly timeoutMs: number },
): Promise<LockFile | undefined> {
  const lockPath = fromBytePath(`${path}.lock`);
  const started = performance.now();
  for (let attempt = 1; ; attempt++) {
    try {
      await (await open(lockPath, "wx", 0o666)).close();
      return heldLock(path);
    } catch (error) {
      if (systemCode(error) !== "EEXIST") throw error;
    }
    const left = options.timeoutMs < 0 ? MAX_PAUSE_MS : started + options.timeoutMs - performance.now();
    if (left <= 0) return undefined;
    // As C git does: pauses grow as squares, and vary so that two waiters do not keep meeting.
    const pause = Math.min(attempt * attempt, MAX_PAUSE_MS) * (0.75 + Math.random() / 2);
    await sleep(Math.min(pause, left));
  }
}

function heldLock(path: string): LockFile {
  const lockPath = fromBytePath(`${path}.lock`);
  let held = true;
  return {
    path,
    async write(chunks) {
      await writeDurably(await open(lockPath, "r+"), chunks);
    },
    async commit() {
      await rename(lockPath, fromBytePath(path));
      held = false;
    },
    async release() {
      if (!held) return;
      held = false;
      await unlink(lockPath);
    },
  };
}

/** Writes `chunks` from the start of `file`, waits for the disk and closes it, whatever happens. */
export async function writeDurably(file: FileHandle, chunks: Iterable<Uint8Array>): Promise<void> {
  try {
    for (const chunk of chunks) await file.writeFile(chunk);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Makes creations, renames and removals in these directories last. Byte paths; one that is gone counts as done. */
export async function syncDirectories(directories: Iterable<string>): Promise<void> {
  await Promise.all([...new Set(directories)].map(syncDirectory));
}

async function syncDirectory(directory: string): Promise<void> {
  let handle: FileHandle;
  try {
    handle = await open(fromBytePath(directory === "" ? "/" : directory), "r");
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
