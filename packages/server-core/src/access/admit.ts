import { ServiceError } from "../errors.ts";
import type { RepositoryResolver } from "../ports.ts";
import type { Peer, ServiceCall } from "../service.ts";
import { type AccessVerdict, ANONYMOUS, type Authorize } from "./authorize.ts";

/** The part of a call that access depends on. */
export type AdmittedCall = Pick<
  ServiceCall,
  "repository" | "service" | "transport" | "credentials" | "peer" | "signal"
>;

/** What {@link admit} needs of a server. */
export interface Admission {
  readonly authorize: Authorize | undefined;
  readonly repositories: RepositoryResolver;
}

/**
 * Asks {@link Authorize} about one call. That something is forbidden is said of a repository alone that is there: of all
 * others it would say that they are not hidden, and so that they are not there.
 * @returns the peer with the name it is granted under
 * @throws ServiceError `server-core/unauthenticated`, `server-core/forbidden`, `server-core/throttled`,
 * `server-core/repository-not-found`
 */
export async function admit(
  { authorize, repositories }: Admission,
  call: ServiceCall,
  signal: AbortSignal,
): Promise<Peer> {
  if (authorize === undefined) return call.peer;
  const { repository, service, transport, credentials = ANONYMOUS, peer } = call;
  const verdict = await authorize({ repository, service, transport, credentials, peer, signal });
  signal.throwIfAborted();
  if (!verdict.granted) {
    if (verdict.reason === "forbidden" && !(await isThere(repositories, call))) throw nothingFor(call);
    throw refusalOf(verdict, call);
  }
  const { user = peer.user, committer = peer.committer } = verdict;
  return { ...peer, user, committer };
}

/** Asked as for a fetch, which makes none. */
async function isThere(repositories: RepositoryResolver, call: ServiceCall): Promise<boolean> {
  try {
    return (await repositories({ ...call, service: "git-upload-pack" })) !== undefined;
  } catch {
    return true; // there, but no good
  }
}

/** What there is nothing of, for this caller: whoever has said nothing of itself is asked to. */
export function nothingFor({ credentials = ANONYMOUS }: AdmittedCall): ServiceError {
  return credentials.kind === "anonymous"
    ? new ServiceError("server-core/unauthenticated", "authentication is required")
    : new ServiceError("server-core/repository-not-found", "repository not found");
}

function refusalOf(
  { reason, message, retryAfterMs }: Extract<AccessVerdict, { readonly granted: false }>,
  call: AdmittedCall,
): ServiceError {
  switch (reason) {
    case "credentials":
      return new ServiceError("server-core/unauthenticated", "authentication is required");
    case "forbidden":
      return new ServiceError("server-core/forbidden", message ?? `${call.service} is not allowed`);
    case "throttled":
      return new ServiceError("server-core/throttled", "too many failed attempts; try again later", {
        retryAfterMs,
      });
    case "hidden":
      return nothingFor(call);
  }
}
