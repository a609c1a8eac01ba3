/** What finds a repository by its name. A map does. */
export type RepositoryLookup<Repository> =
  | { get(name: string): Repository | undefined }
  | ((name: string, signal: AbortSignal) => Repository | undefined | Promise<Repository | undefined>);

/** The part of a call that a repository is found by. */
export interface NamedCall {
  readonly repository: string;
  readonly signal: AbortSignal;
}

/**
 * A resolver for a server: repositories by their names, from a map, or from a function that makes them when they are
 * asked for. Names have no slash at either end; `.git` at the end may be left out, or added, by clients.
 */
export function repositoriesFrom<Repository>(
  lookup: RepositoryLookup<Repository>,
): (call: NamedCall) => Promise<Repository | undefined> {
  const find = typeof lookup === "function" ? lookup : (name: string) => lookup.get(name);
  return async ({ repository, signal }) => {
    const name = repository.replace(/^\/+|\/+$/g, "");
    const other = name.endsWith(".git") ? name.slice(0, -".git".length) : `${name}.git`;
    return (await find(name, signal)) ?? (await find(other, signal));
  };
}
