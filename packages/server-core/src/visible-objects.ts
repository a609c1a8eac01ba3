import type { ObjectId } from "@x/objects";
import type { Session } from "./session.ts";

/** Those of `ids` that no ref which the client may see reaches, or that are not stored. */
export async function hiddenObjects(
  session: Session,
  ids: readonly ObjectId[],
): Promise<ReadonlySet<ObjectId>> {
  if (ids.length === 0) return new Set();
  const { repository, refs, signal } = session;
  const left = [...(await refs.withoutTips(ids, signal))];
  if (left.length === 0) return new Set();
  const tips = [...(await refs.tips(signal))];
  return new Set(await repository.objects.unreachable(left, tips, { signal }));
}
