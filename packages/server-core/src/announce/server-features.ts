import { configBoolean } from "../config-value.ts";
import type { RepositoryConfig } from "../ports.ts";

/** Whether v2's `object-info` is on. Spec: git-config, `transfer.advertiseObjectInfo`. */
export function offersObjectInfo(config: RepositoryConfig): boolean {
  return configBoolean(config, "transfer.advertiseObjectInfo") ?? false;
}

/** Whether v2's `bundle-uri` is on. Spec: gitprotocol-v2, "bundle-uri"; `uploadpack.advertiseBundleURIs`. */
export function offersBundleUri(config: RepositoryConfig): boolean {
  return configBoolean(config, "uploadpack.advertiseBundleURIs") ?? false;
}

/** Whether both sides tell each other what they call their session, in either service. Spec: git-config, `transfer.advertiseSID`. */
export function exchangesSessionIds(config: RepositoryConfig): boolean {
  return configBoolean(config, "transfer.advertiseSID") ?? false;
}
