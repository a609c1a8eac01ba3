import type { ObjectFilter } from "@x/objects";
import { configBoolean, configUnsigned } from "../config-value.ts";
import type { RepositoryConfig } from "../ports.ts";
import { refused, type Session } from "../session.ts";
import { hiddenObjects } from "../visible/visible-objects.ts";

/** How the settings name a kind of filter. */
const KEYS: Readonly<Record<ObjectFilter["kind"], string>> = {
  "blob-none": "blob:none",
  "blob-limit": "blob:limit",
  "tree-depth": "tree",
  "object-type": "object:type",
  sparse: "sparse:oid",
  combine: "combine",
};

/**
 * Refuses a filter that the repository's settings do not let through, a combination if any part is not let through.
 * Spec: git-config, `uploadpackfilter.allow`, `uploadpackfilter.<filter>.allow`, `uploadpackfilter.tree.maxDepth`.
 * @throws ServiceError `server-core/refused`, in C git's words
 */
export function checkFilterAllowed(config: RepositoryConfig, filter: ObjectFilter): void {
  const key = KEYS[filter.kind];
  if (!allows(config, filter.kind)) throw refused(`filter '${key}' not supported`);
  if (filter.kind === "tree-depth") {
    const maxDepth = maxTreeDepth(config);
    if (filter.depth > maxDepth)
      throw refused(`tree filter allows max depth ${maxDepth}, but got ${filter.depth}`);
  }
  if (filter.kind === "combine") for (const part of filter.filters) checkFilterAllowed(config, part);
}

function allows(config: RepositoryConfig, kind: ObjectFilter["kind"]): boolean {
  const own = configBoolean(config, `uploadpackfilter.${KEYS[kind]}.allow`);
  if (own !== undefined) return own;
  // It reads an object of the repository by name and matches each path with it; who wants that has to say so.
  if (kind === "sparse") return false;
  if (kind === "tree-depth" && config.get(MAX_DEPTH) !== undefined) return true;
  return configBoolean(config, "uploadpackfilter.allow") ?? true;
}

const MAX_DEPTH = "uploadpackfilter.tree.maxDepth";

function maxTreeDepth(config: RepositoryConfig): number {
  if (config.get(MAX_DEPTH) === undefined) return Number.POSITIVE_INFINITY;
  // A limit that nobody can read is one nevertheless.
  return configUnsigned(config, MAX_DEPTH) ?? 0;
}

/** Largest file of patterns. Unit: bytes. */
const MAX_SPARSE_BYTES = 1024 * 1024;

/**
 * Refuses a filter whose patterns the client could not see otherwise.
 * @throws ServiceError `server-core/refused`
 */
export async function checkFilterVisible(session: Session, filter: ObjectFilter): Promise<void> {
  if (filter.kind === "combine") for (const part of filter.filters) await checkFilterVisible(session, part);
  if (filter.kind !== "sparse") return;
  const { patterns } = filter;
  const [header] = await session.repository.objects.headers([patterns], { signal: session.signal });
  const hidden =
    header?.type !== "blob" ||
    header.size > MAX_SPARSE_BYTES ||
    (await hiddenObjects(session, [patterns])).size > 0;
  if (hidden) throw refused(`unable to access sparse blob in '${patterns}'`);
}
