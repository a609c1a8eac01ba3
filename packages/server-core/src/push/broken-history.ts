import { type ObjectId, ObjectsError, parseCommitLinks, type Quarantine } from "@x/objects";
import { encodeLatin1 } from "@x/pktline";
import type { Session } from "../session.ts";
import type { Push } from "./push.ts";

/** A push that brings more commits is told of no place. */
const MAX_COMMITS = 1000;
/** So many parents that did not come in are looked at one by one. */
const MAX_PARENTS = 100;

/**
 * Says where the history of a refused tip breaks off, as git's rev-list does, to the user and aside. Whether what is
 * missing there lies about unreferenced is not told.
 * @param known what refs reach
 */
export async function tellBrokenHistory(
  push: Push,
  quarantine: Quarantine,
  tips: readonly ObjectId[],
  known: readonly ObjectId[],
): Promise<void> {
  const { session, request } = push;
  const broken = await findBreak(session, quarantine, tips, known).catch((error: unknown) => {
    session.signal.throwIfAborted();
    // A commit that cannot be read is refused by others.
    if (error instanceof ObjectsError) return undefined;
    throw error;
  });
  if (broken === undefined) return;
  const { parent, commit } = broken;
  const text = `error: Could not read ${parent}\nfatal: Failed to traverse parents of commit ${commit}\n`;
  if (request.capabilities.has("side-band-64k")) push.say(text);
  session.call.aside?.(encodeLatin1(text));
}

async function findBreak(
  { signal, repository }: Session,
  quarantine: Quarantine,
  tips: readonly ObjectId[],
  known: readonly ObjectId[],
): Promise<{ readonly commit: ObjectId; readonly parent: ObjectId } | undefined> {
  const inPack = new Set<ObjectId>();
  for await (const batch of quarantine.received?.({ signal }) ?? []) {
    for (const { id, type } of batch) if (type === "commit") inPack.add(id);
    if (inPack.size > MAX_COMMITS) return undefined;
  }
  const queue = tips.filter((tip) => inPack.has(tip));
  const seen = new Set<ObjectId>(queue);
  let looks = 0;
  for (let commit = queue.pop(); commit !== undefined; commit = queue.pop()) {
    const object = await quarantine.read(commit, { signal });
    if (object === undefined) return undefined;
    for (const parent of parseCommitLinks(object.data, repository.objectFormat).parents) {
      if (seen.has(parent)) continue;
      seen.add(parent);
      if (inPack.has(parent)) queue.push(parent);
      else if (looks++ >= MAX_PARENTS) return undefined;
      else if ((await quarantine.unconnected([parent], known, { signal })).length > 0)
        return { commit, parent };
    }
  }
  return undefined;
}
