import { type ObjectId, ObjectsError } from "@x/objects";
import { fetchFeatures } from "../announce/fetch-features.ts";
import { refused, type Session } from "../session.ts";
import { unreached } from "../visible/visible-objects.ts";
import { readWantPolicy } from "../visible/want-policy.ts";
import type { FetchRequest } from "./fetch-request.ts";

/**
 * The gate for wants, in v0 as in v2: a client may have what a ref that it can see holds, what it was shown not long
 * ago, and what the repository's policy adds; by default all that visible refs reach, and no more.
 * @param stored what was found just now
 * @throws ServiceError `server-core/refused`, with the same words for what is hidden and for what is missing
 */
export async function checkWants(
  session: Session,
  request: FetchRequest,
  stored: ReadonlySet<ObjectId> = new Set(),
): Promise<void> {
  const ids = [...request.wants];
  const forbidden = await forbiddenObjects(session, ids, stored);
  const bad = forbidden.size === 0 ? undefined : ids.find((id) => forbidden.has(id));
  if (bad !== undefined) throw refused(`upload-pack: not our ref ${bad}`);
}

/** Those of `ids` that the client may not have, or that are not stored. */
export async function forbiddenObjects(
  session: Session,
  ids: readonly ObjectId[],
  stored: ReadonlySet<ObjectId> = new Set(),
): Promise<ReadonlySet<ObjectId>> {
  if (ids.length === 0) return new Set();
  const { call, refs, repository, shown, memory, signal } = session;
  const { config } = repository;
  const policy = readWantPolicy(config, fetchFeatures(config).filter);
  // For whoever was not shown it, what was found for somebody else has to take as long as what is missing.
  const wasFound = (id: ObjectId) => memory.shown.has(id) && memory.found.has(id);
  const unsure = ids.filter((id) => !stored.has(id) && !shown.isStored(id) && !wasFound(id));
  const has = unsure.length === 0 ? [] : await repository.objects.has(unsure, { signal });
  const missing = new Set(unsure.filter((_, i) => has[i] !== true));
  for (const id of unsure) if (!missing.has(id)) memory.found.add(id);
  if (policy.anything) return missing;
  // What is missing is looked for among the tips too, so that it takes as long as what is hidden.
  const unseen = ids.filter((id) => !shown.has(id) && !memory.shown.has(id));
  const left = await refs.withoutTips(unseen, signal, { hidden: policy.hiddenTips });
  for (const id of missing) left.delete(id);
  if (left.size === 0) return missing;
  // A stateless v0 client may have been shown refs that have moved on since; C git helps it the same way.
  const mayReach = call.version === 2 ? policy.reachable.v2 : policy.reachable.v0 || call.mode === "rpc";
  const bad = mayReach ? await unreachedOrUnsure(session, left, policy.hiddenTips) : left;
  return new Set([...missing, ...bad]);
}

/** In a damaged repository what cannot be shown to be reached is not given. */
async function unreachedOrUnsure(
  session: Session,
  ids: ReadonlySet<ObjectId>,
  hidden: boolean,
): Promise<ReadonlySet<ObjectId>> {
  try {
    return await unreached(session, [...ids], { hidden });
  } catch (error) {
    const isDamage =
      error instanceof ObjectsError &&
      (error.code === "objects/not-found" || error.code === "objects/corrupt");
    if (!isDamage) throw error;
    session.stats.reason = `reachability: ${error.message}`;
    return ids;
  }
}
