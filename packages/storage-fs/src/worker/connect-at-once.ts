import type { ObjectId } from "@x/objects";
import { CommitTable, connectsAtOnce, type IndexedPack, type ObjectTable, storedNumbers } from "@x/pack";
import type { StoreLocation } from "../pool/worker-protocol.ts";
import type { Job } from "./job.ts";
import { readShallow } from "./read-shallow.ts";

/** What takes longer is a question of its own, with a limit of its own. Unit: milliseconds. */
const MAX_LOOK_MS = 15;

/**
 * Looks whether `tips` connect, now that the pack that brings them is in.
 * @param objects what was stored before
 * @returns `false` when that is not so, or not known
 */
export async function connectAtOnce(
  { index, receivedEnd, outerReferences }: IndexedPack,
  tips: readonly ObjectId[],
  objects: ObjectTable,
  { job, location }: { readonly job: Job; readonly location: StoreLocation },
): Promise<boolean> {
  const known = (await job.answer()) as readonly ObjectId[] | undefined;
  if (known === undefined) return false;
  const commits = new CommitTable(objects, new Set(storedNumbers(objects, readShallow(location))));
  const packs = [{ index, receivedEnd, outerReferences: outerReferences?.rows }];
  const look = connectsAtOnce(commits, { tips, known, packs });
  for (const end = performance.now() + MAX_LOOK_MS; performance.now() < end; ) {
    const step = look.next();
    if (step.done) return step.value;
  }
  return false;
}
