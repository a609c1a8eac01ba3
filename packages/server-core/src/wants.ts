import type { FetchRequest } from "./fetch-request.ts";
import { refused, type Session } from "./session.ts";

/**
 * A client may have what a ref that it can see holds, what this connection has shown it, and what these reach; no
 * more in v2 than in v0.
 * @throws ServiceError `server-core/refused`
 */
export async function checkWants(session: Session, request: FetchRequest): Promise<void> {
  const { refs, repository, shown, signal } = session;
  const unseen = [...request.wants].filter((id) => !shown.has(id));
  const left = await refs.withoutTips(unseen, signal);
  if (left.size === 0) return;
  const tips = await refs.tips(signal);
  const bad = await repository.objects.unreachable([...left], [...tips], { signal });
  if (bad[0] !== undefined) throw refused(`upload-pack: not our ref ${bad[0]}`);
}
