import { requiredBoolean } from "../config-value.ts";
import type { RepositoryConfig } from "../ports.ts";

/** What happens to a push that would pull the ground from under somebody's feet. */
type DenyAction = "unconfigured" | "ignore" | "warn" | "refuse" | "updateInstead";

/** What a repository's own settings forbid. Spec: git-config, `receive.deny*`. */
export interface PushRules {
  readonly denyDeletes: boolean;
  readonly denyNonFastForwards: boolean;
  readonly denyDeleteCurrent: DenyAction;
  readonly denyCurrentBranch: DenyAction;
}

/**
 * Reads the rules.
 * @throws ServiceError `server-core/repository-unusable` for a value that git would not take either
 */
export function pushRules(config: RepositoryConfig): PushRules {
  return {
    denyDeletes: requiredBoolean(config, "receive.denyDeletes") ?? false,
    denyNonFastForwards: requiredBoolean(config, "receive.denyNonFastForwards") ?? false,
    denyDeleteCurrent: denyAction(config, "receive.denyDeleteCurrent"),
    denyCurrentBranch: denyAction(config, "receive.denyCurrentBranch"),
  };
}

function denyAction(config: RepositoryConfig, key: string): DenyAction {
  const value = config.get(key)?.toLowerCase();
  if (value === undefined) return "unconfigured";
  if (value === "ignore" || value === "warn" || value === "refuse") return value;
  if (value === "updateinstead") return "updateInstead";
  return requiredBoolean(config, key) === true ? "refuse" : "ignore";
}
