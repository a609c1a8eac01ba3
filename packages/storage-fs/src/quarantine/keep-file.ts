import { rename, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { link, readSmall, unlink } from "../disk/quick-files.ts";
import { type SharedAccess, share } from "../disk/shared-access.ts";
import { systemCode } from "../errors.ts";
import { ownProcessName, PROCESS_NAME } from "../journal/process-name.ts";

/*
 * <pack>.keep: "receive-pack" SP <pid> SP "on" SP <host> LF <process> LF
 * The first line is C git's; the second tells whether the writer is still there.
 */

const OURS = new RegExp(`^receive-pack [0-9]+ on .*\\n(${PROCESS_NAME})\\n$`);

/** A longer one is none of ours. Unit: bytes. */
const MAX_GUARD_BYTES = 1024;

interface Guard {
  users: number;
  /** That there is one; a user's own stays as it is. */
  readonly made: Promise<void>;
}

/** The packs that pushes of this process guard. */
const guards = new Map<string, Guard>();

/**
 * Keeps `git repack -ad` from dropping a pack that no ref leads to yet, by the `.keep` file at `path`.
 * Spec: git-repack, `-a`.
 * @param draft a path on the same file system, where it is written first: it must never be without its content
 * @returns takes the guard away, unless it is somebody else's by now; harmless a second time
 */
export async function guardPack(
  path: string,
  draft: string,
  access?: SharedAccess,
): Promise<() => Promise<void>> {
  return joinGuard(path, () => makeGuard(path, draft, access));
}

/**
 * As {@link guardPack}, however the guard is made.
 * @param make called unless another push of this process has made the guard
 */
export async function joinGuard(path: string, make: () => Promise<void>): Promise<() => Promise<void>> {
  const guard = guards.get(path) ?? { users: 0, made: make() };
  guards.set(path, guard);
  guard.users++;
  let isReleased = false;
  const release = async (): Promise<void> => {
    if (isReleased) return;
    isReleased = true;
    if (--guard.users > 0) return;
    guards.delete(path);
    const own = await ownProcessName();
    if ((await guardOf(path).catch(() => own)) === own) await unlink(path).catch(ignoreMissing);
  };
  try {
    await guard.made;
  } catch (error) {
    await release();
    throw error;
  }
  return release;
}

async function makeGuard(path: string, draft: string, access: SharedAccess | undefined): Promise<void> {
  await writeFile(draft, guardText(await ownProcessName()));
  await placeGuard(draft, path, access);
}

/** What a guard that the process of this name makes holds. */
export function guardText(processName: string): string {
  return `receive-pack ${process.pid} on ${hostname()}\n${processName}\n`;
}

/** Makes what is written at `draft` the guard at `path`, unless a user has one there; the draft is gone then. */
export async function placeGuard(
  draft: string,
  path: string,
  access: SharedAccess | undefined,
): Promise<void> {
  // Other processes look into it to see whether its writer lives.
  await share(draft, access);
  try {
    await link(draft, path);
  } catch (error) {
    // Another process that brings the same pack would take its guard away when it is done, but not ours.
    const isTaken = systemCode(error) === "EEXIST";
    if (!isTaken || (await guardOf(path)) !== undefined) return rename(draft, path);
  }
  await unlink(draft);
}

/** The process that made a `.keep` file, if it is one of ours. */
export async function guardOf(path: string): Promise<string | undefined> {
  const file = await readSmall(path, { maxBytes: MAX_GUARD_BYTES });
  return typeof file === "string" ? undefined : OURS.exec(file.toString("latin1"))?.[1];
}

function ignoreMissing(error: unknown): undefined {
  if (systemCode(error) !== "ENOENT") throw error;
}
