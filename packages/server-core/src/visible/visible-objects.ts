import type { ObjectId } from "@x/objects";
import type { Session } from "../session.ts";

/** Which refs count. */
interface Counting {
  /** Hidden ones too. */
  readonly hidden?: boolean;
}

/** Those of `ids` that no ref which the client may see reaches, or that are not stored. */
export async function hiddenObjects(
  session: Session,
  ids: readonly ObjectId[],
  counting: Counting = {},
): Promise<ReadonlySet<ObjectId>> {
  if (ids.length === 0) return new Set();
  const { refs, signal } = session;
  return unreached(session, [...(await refs.withoutTips(ids, signal, counting))], counting);
}

/** The same where none of `ids` is known to be held by a ref itself. */
export async function unreached(
  session: Session,
  ids: readonly ObjectId[],
  counting: Counting = {},
): Promise<ReadonlySet<ObjectId>> {
  if (ids.length === 0) return new Set();
  const { repository, refs, memory, signal } = session;
  const tips = [...(await refs.tips(signal, counting))];
  return new Set(await memory.reach.unreachable(repository.objects, ids, tips, signal));
}
