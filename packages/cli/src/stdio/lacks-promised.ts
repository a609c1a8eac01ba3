import { ObjectsError } from "@x/objects";
import { type RepositoryConfig, ServiceError } from "@x/server-core";

/** Whether an answer failed for an object that a remote of the repository may have promised: it is not asked for it. */
export function lacksPromised(error: unknown, config: RepositoryConfig): boolean {
  if (!(error instanceof ServiceError && error.cause instanceof ObjectsError)) return false;
  if (error.cause.code !== "objects/not-found") return false;
  if (config.get("extensions.partialClone") !== undefined) return true;
  return [...(config.entries?.("remote.") ?? [])].some(({ key }) => key.endsWith(".promisor"));
}
