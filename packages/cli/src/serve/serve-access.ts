import { type Access, AccessRulesError, openAccess } from "@x/access-rules";
import type { Logger } from "@x/server-core";
import type { Config } from "../config/load-config.ts";
import { CliError } from "../errors.ts";

/**
 * The rules for who may do what, if the config names any.
 * @throws CliError with the file, line and column where one of the files is no good
 */
export async function openServeAccess(config: Config, logger: Logger): Promise<Access | undefined> {
  const usersFile = config.get("access.users");
  const accessFile = config.get("access.rules");
  if (usersFile === undefined && accessFile === undefined) return undefined;
  if (config.get("enable").length > 0)
    throw new CliError(
      "cli/usage",
      "enable allows everybody a service: it does not go with access.users or access.rules",
    );
  try {
    return await openAccess({ usersFile, accessFile, logger, limits: config.limits("access.limits") });
  } catch (cause) {
    if (cause instanceof AccessRulesError) throw new CliError("cli/fatal", cause.message, { cause });
    throw cause;
  }
}
