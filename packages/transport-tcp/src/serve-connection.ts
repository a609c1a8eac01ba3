import type { Duplex } from "node:stream";
import type { GitService, Logger, Peer } from "@x/server-core";
import { DEFAULT_TCP_LIMITS, type TcpLimits } from "./limits.ts";
import { type AccessHook, Session } from "./session.ts";
import { type Patience, SocketStream } from "./socket-stream.ts";

/** How connections are served, whoever accepted them. */
export interface ConnectionOptions {
  readonly service: GitService;
  /**
   * Gets a line for each request that never became a call, with `request` as its message and level info. How the
   * connections of calls ended is told as `connection`, at level debug unless it was our doing; at level debug also
   * that one was `opened`, and what was `asked`.
   */
  readonly logger?: Logger | undefined;
  /** Whom to serve what, beyond what the service knows: a call that it refuses never reaches the service. */
  readonly accessHook?: AccessHook | undefined;
  /** Tell clients whether a repository is absent, hidden or only lacks the service. Without it all read the same. */
  readonly informativeErrors?: boolean | undefined;
  readonly limits?: Partial<TcpLimits> | undefined;
}

/** The ends of a connection. */
export interface Ends {
  readonly peer: Peer;
  readonly localAddress?: string | undefined;
  readonly localPort?: number | undefined;
}

/** @see serveConnection */
export function openSession(
  socket: Duplex,
  { peer, localAddress, localPort }: Ends,
  options: ConnectionOptions,
): { readonly session: Session; readonly stream: SocketStream } {
  const limits: TcpLimits = { ...DEFAULT_TCP_LIMITS, ...options.limits };
  const patience: Patience = {
    readIdleMs: limits.readIdleTimeoutMs,
    writeIdleMs: limits.writeIdleTimeoutMs,
    slowGraceMs: limits.slowGraceMs,
    minBytesPerSecond: limits.minBytesPerSecond,
  };
  const stream = new SocketStream(socket, patience);
  const { service, logger, accessHook, informativeErrors = false } = options;
  const local = { localAddress, localPort };
  const context = { service, limits, logger, accessHook, informativeErrors, peer, local };
  return { session: new Session(stream, patience, context), stream };
}

/**
 * Serves one connection that somebody else has accepted, such as inetd. Never throws.
 * Spec: gitprotocol-pack, "Git Transport"; git-daemon, `--inetd`.
 */
export async function serveConnection(
  connection: Duplex,
  ends: Ends,
  options: ConnectionOptions,
): Promise<void> {
  await openSession(connection, ends, options).session.run();
}
