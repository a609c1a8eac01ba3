import { ServiceError } from "../errors.ts";
import type { Peer, ServiceCall } from "../service.ts";
import { type AccessVerdict, ANONYMOUS, type Authorize } from "./authorize.ts";

/** The part of a call that access depends on. */
export type AdmittedCall = Pick<
  ServiceCall,
  "repository" | "service" | "transport" | "credentials" | "peer" | "signal"
>;

/**
 * Asks {@link Authorize} about one call.
 * @returns the peer with the name it is granted under
 * @throws ServiceError `server-core/unauthenticated`, `server-core/forbidden`, `server-core/throttled`,
 * `server-core/repository-not-found`
 */
export async function admit(
  authorize: Authorize | undefined,
  call: AdmittedCall,
  signal: AbortSignal,
): Promise<Peer> {
  if (authorize === undefined) return call.peer;
  const { repository, service, transport, credentials = ANONYMOUS, peer } = call;
  const verdict = await authorize({ repository, service, transport, credentials, peer, signal });
  signal.throwIfAborted();
  if (!verdict.granted) throw refusalOf(verdict, call);
  const { user = peer.user, committer = peer.committer } = verdict;
  return { ...peer, user, committer };
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
