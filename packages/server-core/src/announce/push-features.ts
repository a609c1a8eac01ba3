import { requiredBoolean } from "../config-value.ts";
import type { RepositoryConfig } from "../ports.ts";

/** What a repository's settings add to a push, or take from it. Each works only where it is announced. */
export interface PushFeatures {
  readonly atomic: boolean;
  readonly ofsDelta: boolean;
  readonly pushOptions: boolean;
  /** Push certificates are asked for; with it nonces are made. */
  readonly certNonceSeed: string | undefined;
}

/**
 * Reads them. Spec: git-config, `receive.*`, `repack.useDeltaBaseOffset`.
 * @throws ServiceError `server-core/repository-unusable` for a value that git would not take either
 */
export function pushFeatures(config: RepositoryConfig): PushFeatures {
  return {
    atomic: requiredBoolean(config, "receive.advertiseAtomic") ?? true,
    ofsDelta: requiredBoolean(config, "repack.useDeltaBaseOffset") ?? true,
    pushOptions: requiredBoolean(config, "receive.advertisePushOptions") ?? false,
    certNonceSeed: config.get("receive.certNonceSeed"),
  };
}
