import type { Logger, RepositoryResolver } from "@x/server-core";
import { readProtectedConfig } from "@x/storage-fs";
import { archiveFilters } from "../archive/archive-filters.ts";
import { printable } from "../printable.ts";
import type { Terminal } from "../terminal.ts";

/** All that the programs see of the server's environment, which may hold secrets. */
const KEPT: ReadonlySet<string> = new Set(["PATH", "HOME", "TMPDIR", "LANG", "LANGUAGE", "TZ"]);

/**
 * Gives repositories the formats of archives that the machine's settings make out of programs, as those were at the
 * start. Settings that cannot be read make none.
 */
export async function withServeFilters(
  { env }: Pick<Terminal, "env">,
  logger: Logger,
): Promise<(repositories: RepositoryResolver) => RepositoryResolver> {
  const machine = await readProtectedConfig(env).catch((error: Error) => {
    logger.warn(
      {},
      `no formats of archives are taken from the machine's settings: ${printable(error.message)}`,
    );
    return undefined;
  });
  if (machine === undefined) return (repositories) => repositories;
  const kept = Object.entries(env).filter(([name]) => KEPT.has(name) || name.startsWith("LC_"));
  const own = Object.fromEntries(kept);
  return (repositories) => async (call) => {
    const repository = await repositories(call);
    const { directory } = repository ?? {};
    if (repository === undefined || directory === undefined || call.service !== "git-upload-archive")
      return repository;
    return { ...repository, archiveFilters: archiveFilters(machine, { directory, env: own }) };
  };
}
