import { readdir, rm, stat, unlink } from "node:fs/promises";
import { systemCode } from "../errors.ts";
import { guardOf } from "../quarantine/keep-file.ts";
import { isDead, ownProcessName, PROCESS_NAME } from "./process-name.ts";

/** How the names of directories for incoming objects begin: C git's prune knows them. */
const INCOMING = "tmp_objdir-incoming-";

const OURS = new RegExp(`^${INCOMING}(${PROCESS_NAME})-`);

/** How the names of packs begin that are not complete: C git's prune knows them too. */
const DRAFT = "tmp_";

const OUR_DRAFT = new RegExp(`^${DRAFT}(?:pack|rev|idx|keep)-(${PROCESS_NAME})-`);

/** A pack without an index is in nobody's way: somebody may be about to complete it. Unit: milliseconds. */
const INCOMPLETE_GRACE_MS = 3_600_000;

/** Whether a path lies in a directory for incoming objects. */
export function isIncoming(path: string): boolean {
  return path.includes(`/${INCOMING}`);
}

/** How the name of this process' directories for incoming objects begins. */
export async function incomingPrefix(): Promise<string> {
  return `${INCOMING}${await ownProcessName()}-`;
}

/**
 * The name of a file beside packs that the process of this name is about to make one of. What it is to be stands first:
 * C git takes all that ends in `.idx` for an index.
 */
export function draftName(kind: "pack" | "rev" | "idx" | "keep", processName: string, tag: string): string {
  return `${DRAFT}${kind}-${processName}-${tag}`;
}

/**
 * Removes what processes left in an object directory that died in the middle of a push: incoming objects, guards of
 * packs, and packs that never got their index. Where this process may not write, all stays.
 */
export async function sweepObjects(
  objectsDirectory: string,
  onWarning: ((message: string) => void) | undefined,
): Promise<void> {
  try {
    for (const name of await entries(objectsDirectory)) {
      const owner = OURS.exec(name)?.[1];
      if (owner !== undefined && (await isDead(owner)))
        await rm(`${objectsDirectory}/${name}`, { recursive: true, force: true });
    }
    const packs = await entries(`${objectsDirectory}/pack`);
    const present = new Set(packs);
    for (const name of packs) {
      const writer = OUR_DRAFT.exec(name)?.[1];
      if (writer !== undefined && (await isDead(writer)))
        await rm(`${objectsDirectory}/pack/${name}`, { force: true });
      if (writer !== undefined || !name.endsWith(".keep")) continue;
      const owner = await guardOf(`${objectsDirectory}/pack/${name}`);
      if (owner !== undefined && (await isDead(owner)))
        await sweepPack(`${objectsDirectory}/pack/${name.slice(0, -".keep".length)}`, (suffix) =>
          present.has(name.replace(/\.keep$/, suffix)),
        );
    }
  } catch (error) {
    onWarning?.(`what an interrupted push left could not be removed: ${systemCode(error) ?? error}`);
  }
}

async function sweepPack(path: string, has: (suffix: string) => boolean): Promise<void> {
  if (has(".pack") && !has(".idx")) {
    const { mtimeMs } = await stat(`${path}.pack`);
    if (Date.now() - mtimeMs < INCOMPLETE_GRACE_MS) return;
    for (const suffix of [".rev", ".pack"]) await rm(path + suffix, { force: true });
  }
  await unlink(`${path}.keep`);
}

async function entries(directory: string): Promise<string[]> {
  return readdir(directory).catch(() => []);
}
