import { requiredBoolean } from "../config-value.ts";
import { ServiceError } from "../errors.ts";
import type { RepositoryConfig } from "../ports.ts";

/** What a repository's settings add to a fetch. Each is announced, and taken from a client, only if it is on. */
export interface FetchFeatures {
  readonly filter: boolean;
  readonly refInWant: boolean;
  readonly sidebandAll: boolean;
  readonly packfileUris: boolean;
}

/**
 * Reads them. Spec: git-config, `uploadpack.*`.
 * @throws ServiceError `server-core/repository-unusable` for a value that git would not take either
 */
export function fetchFeatures(config: RepositoryConfig): FetchFeatures {
  return {
    filter: requiredBoolean(config, "uploadpack.allowFilter") ?? false,
    refInWant: requiredBoolean(config, "uploadpack.allowRefInWant") ?? false,
    sidebandAll: requiredBoolean(config, "uploadpack.allowSidebandAll") ?? false,
    // What is set without a value reads as true: to git that is no address.
    packfileUris: config.getAll("uploadpack.blobPackfileUri").some((value) => value !== "true"),
  };
}

/** The features in the value of v2's `fetch` capability, in C git's order; a space in front of each. */
export function formatFetchFeatures(features: FetchFeatures): string {
  return [
    features.filter ? " filter" : "",
    features.refInWant ? " ref-in-want" : "",
    features.sidebandAll ? " sideband-all" : "",
    features.packfileUris ? " packfile-uris" : "",
  ].join("");
}

/** What becomes of ls-refs' `unborn`: it is announced, it works unannounced, or it is passed over. */
export type UnbornSetting = "advertise" | "allow" | "ignore";

/**
 * Reads it. Spec: git-config, `lsrefs.unborn`.
 * @throws ServiceError `server-core/repository-unusable`
 */
export function unbornSetting(config: RepositoryConfig): UnbornSetting {
  const value = config.get("lsrefs.unborn") ?? "advertise";
  if (value === "advertise" || value === "allow" || value === "ignore") return value;
  throw new ServiceError(
    "server-core/repository-unusable",
    `invalid value for 'lsrefs.unborn': '${value.slice(0, 100)}'`,
  );
}
