import type { FileHookLimits, FileHooks } from "@x/file-hooks";
import { serverEnvironment } from "@x/file-hooks";
import { type Logger, ServiceError } from "@x/server-core";
import { type RepositoryLayout, readProtectedConfig } from "@x/storage-fs";
import { CliError } from "../errors.ts";
import { operatorHooks } from "../operator-hooks.ts";
import { checkOwner } from "../stdio/owner.ts";
import type { Terminal } from "../terminal.ts";

/** Hook scripts for a server of many repositories. */
export interface ServeHooks {
  readonly hooks: FileHooks;
  /** @throws ServiceError `server-core/repository-unusable` for a repository whose hooks are not ours to run */
  readonly admit: (layout: RepositoryLayout) => Promise<void>;
}

/**
 * The hooks of repositories below a root run as the server's own user. So a push goes, as in C git, only to those that
 * are this user's, or that `safe.directory` of the machine's settings vouches for.
 */
export async function serveHooks(
  { env }: Terminal,
  logger: Logger,
  limits?: FileHookLimits,
): Promise<ServeHooks> {
  const protectedConfig = await readProtectedConfig(env);
  const environment = serverEnvironment(env);
  return {
    hooks: operatorHooks({ protectedConfig, home: env.HOME, environment, logger, limits }),
    async admit(layout) {
      try {
        await checkOwner(layout, protectedConfig, env);
      } catch (cause) {
        if (!(cause instanceof CliError)) throw cause;
        logger.warn(
          { repository: layout.gitDirectory },
          "a push was refused: the repository is somebody else's",
        );
        throw new ServiceError(
          "server-core/repository-unusable",
          "detected dubious ownership in repository",
          {
            cause,
          },
        );
      }
    },
  };
}
