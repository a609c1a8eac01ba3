import { randomBytes } from "node:crypto";
import { closeSync, existsSync, linkSync, unlinkSync } from "node:fs";
import { toBytePath } from "../disk/byte-path.ts";
import { syncsOf } from "../disk/durability.ts";
import { makeShared, share } from "../disk/shared-access.ts";
import { draftName } from "../journal/sweep-objects.ts";
import type { Operations, StoreLocation } from "../pool/worker-protocol.ts";
import { guardText, placeGuard } from "../quarantine/keep-file.ts";
import { moveFile } from "../quarantine/publish.ts";
import type { HeldPack } from "./held-packs.ts";
import { syncFile, writeNewFile } from "./pack-file-sink.ts";

/**
 * Brings a held pack into a store: written beside the others under names that mean nothing, and on disk before it gets
 * its own. All but the waiting is done at once: from thread to thread each step would cost more than it takes.
 * @returns directories with new entries, which last once these are synced
 * @throws what the system says; nothing of it is left then but what has its name already
 */
export async function publishHeld(
  { name, packBytes, indexBytes, reverseIndexBytes }: HeldPack,
  { objectsDirectory, access, durability = "full" }: StoreLocation,
  { process, isGuarded }: Omit<Operations["publishHeld"]["args"], "name">,
): Promise<Operations["publishHeld"]["result"]> {
  const to = `${objectsDirectory}/pack`;
  const isNew = !existsSync(to) && (await makeShared(toBytePath(to), access));
  const { packs: syncsPacks } = syncsOf(durability);
  const tag = randomBytes(6).toString("hex");
  const draftOf = (kind: Parameters<typeof draftName>[0]) => `${to}/${draftName(kind, process, tag)}`;
  // Readers look for `.idx`: it comes last.
  const files = [
    { from: draftOf("pack"), to: `${to}/${name}.pack`, bytes: packBytes },
    { from: draftOf("rev"), to: `${to}/${name}.rev`, bytes: reverseIndexBytes },
    { from: draftOf("idx"), to: `${to}/${name}.idx`, bytes: indexBytes },
  ];
  const guard = draftOf("keep");
  try {
    const descriptors: number[] = [];
    try {
      for (const { from, bytes } of files) descriptors.push(writeNewFile(from, bytes));
      for (const { from } of files) await share(from, access);
      await waitForAll(syncsPacks ? descriptors.map((descriptor) => syncFile(descriptor)) : []);
    } finally {
      for (const descriptor of descriptors) closeSync(descriptor);
    }
    if (!isGuarded) {
      closeSync(writeNewFile(guard, Buffer.from(guardText(process))));
      await placeGuard(guard, `${to}/${name}.keep`, access);
    }
    for (const file of files) if (!linkAtOnce(file.from, file.to)) await moveFile(file.from, file.to);
  } finally {
    for (const path of [...files.map(({ from }) => from), guard]) unlinkIfThere(path);
  }
  return isNew ? [to, objectsDirectory] : [to];
}

/** @returns `false` when it takes a closer look */
function linkAtOnce(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch {
    return false;
  }
}

function unlinkIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // What stays on a bad disk is swept by a later start.
  }
}

/** Nothing is closed while it is still being waited for. */
async function waitForAll(work: readonly Promise<void>[]): Promise<void> {
  for (const result of await Promise.allSettled(work)) if (result.status === "rejected") throw result.reason;
}
