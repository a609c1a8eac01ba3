import { nothingFor } from "./access/admit.ts";
import type { Authorize } from "./access/authorize.ts";
import { ServiceError } from "./errors.ts";
import type { Repository, RepositoryResolver } from "./ports.ts";
import type { ServiceCall } from "./service.ts";

/**
 * The repository of a call.
 * @throws ServiceError `server-core/repository-not-found`, `server-core/unauthenticated`, `server-core/repository-unusable`,
 * or the resolver's own
 */
export async function resolveRepository(
  server: { readonly repositories: RepositoryResolver; readonly authorize: Authorize | undefined },
  call: ServiceCall,
  signal: AbortSignal,
): Promise<Repository> {
  let repository: Repository | undefined;
  try {
    repository = await server.repositories(call);
  } catch (cause) {
    if (signal.aborted || cause instanceof ServiceError) throw cause;
    const message = cause instanceof Error ? cause.message : "the repository cannot be served";
    throw new ServiceError("server-core/repository-unusable", message, { cause });
  }
  signal.throwIfAborted();
  if (repository === undefined)
    throw server.authorize
      ? nothingFor(call)
      : new ServiceError("server-core/repository-not-found", "repository not found");
  return repository;
}
