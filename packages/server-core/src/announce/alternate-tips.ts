import type { ObjectId } from "@x/objects";
import type { Session } from "../session.ts";

/**
 * What the alternates' refs hold, as far as the repository wants it told.
 * Spec: git-config, `core.alternateRefsPrefixes`.
 */
export async function alternateTips(session: Session): Promise<Set<ObjectId>> {
  const { repository, limits, signal } = session;
  const tips = new Set<ObjectId>();
  const words = repository.config.get("core.alternateRefsPrefixes")?.split(" ") ?? [];
  const prefixes = words.filter((word) => word !== "");
  const options = { signal, prefixes: prefixes.length === 0 ? undefined : prefixes };
  for await (const batch of repository.objects.alternateTips?.(options) ?? [])
    for (const id of batch) {
      if (tips.size >= limits.maxAlternateTips) return tips;
      tips.add(id);
    }
  return tips;
}
