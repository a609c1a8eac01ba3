import { configBoolean } from "./config-value.ts";
import type { RepositoryConfig } from "./ports.ts";

/** What a repository's settings add to a fetch. Each is announced, and taken from a client, only if it is on. */
export interface FetchFeatures {
  readonly filter: boolean;
  readonly sidebandAll: boolean;
  readonly packfileUris: boolean;
}

/** Reads them. Spec: git-config, `uploadpack.*`. */
export function fetchFeatures(config: RepositoryConfig): FetchFeatures {
  return {
    filter: configBoolean(config, "uploadpack.allowFilter") ?? false,
    sidebandAll: configBoolean(config, "uploadpack.allowSidebandAll") ?? false,
    packfileUris: config.getAll("uploadpack.blobPackfileUri").length > 0,
  };
}

/** The features in the value of v2's `fetch` capability, in C git's order; a space in front of each. */
export function formatFetchFeatures(features: FetchFeatures): string {
  return [
    features.filter ? " filter" : "",
    features.sidebandAll ? " sideband-all" : "",
    features.packfileUris ? " packfile-uris" : "",
  ].join("");
}
