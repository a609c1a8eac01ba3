import { createServer, type Server, type Socket } from "node:net";
import type { GitService, Logger } from "@x/server-core";
import { TransportTcpError } from "./errors.ts";
import { DEFAULT_TCP_LIMITS, type TcpLimits } from "./limits.ts";
import { Session } from "./session.ts";
import { type Patience, SocketStream } from "./socket-stream.ts";

/** What {@link createTcpGitServer} is told. */
export interface TcpGitServerOptions {
  readonly service: GitService;
  /** The address to listen on; `127.0.0.1` when not given. */
  readonly host?: string | undefined;
  /** 9418 when not given; 0 for any free one. */
  readonly port?: number | undefined;
  /**
   * Gets a line for each request that never became a call, with `request` as its message and level info. How the
   * connections of calls ended is told as `connection`, at level debug unless it was our doing.
   */
  readonly logger?: Logger | undefined;
  readonly limits?: Partial<TcpLimits> | undefined;
}

/** A git:// server. */
export interface TcpGitServer {
  /** Opens the port. @throws Node's own error, for example with `code` `EADDRINUSE` */
  listen(): Promise<{ readonly host: string; readonly port: number }>;
  /**
   * Takes no more connections and lets running requests end. After `graceMs` they are aborted.
   * @param options `graceMs` 0 when not given
   */
  close(options?: { readonly graceMs?: number }): Promise<void>;
}

interface Connection {
  readonly session: Session;
  readonly stream: SocketStream;
}

/** The port that git:// has from IANA. */
export const GIT_PORT = 9418;

/** After an abort, a service that does not end is left behind. Unit: milliseconds. */
const ABORT_GRACE_MS = 1000;

/** Serves `service` over git://: plain, unauthenticated TCP. Spec: gitprotocol-pack, "Git Transport". */
export function createTcpGitServer(options: TcpGitServerOptions): TcpGitServer {
  const limits: TcpLimits = { ...DEFAULT_TCP_LIMITS, ...options.limits };
  const connections = new Map<Connection, Promise<void>>();
  const turnedAway = new Set<SocketStream>();

  const turnAway = (session: Session, stream: SocketStream): void => {
    if (turnedAway.size < limits.maxConnections) {
      turnedAway.add(stream);
      const error = new TransportTcpError("transport-tcp/too-many-connections", "too many connections");
      void session.run(error).finally(() => turnedAway.delete(stream));
    } else stream.destroy();
  };

  const accept = (socket: Socket): void => {
    const patience: Patience = {
      readIdleMs: limits.readIdleTimeoutMs,
      writeIdleMs: limits.writeIdleTimeoutMs,
    };
    const stream = new SocketStream(socket, patience);
    const peer = { address: socket.remoteAddress?.replace(/^::ffff:(?=\d+\.)/, "") };
    const session = new Session(stream, patience, {
      service: options.service,
      limits,
      logger: options.logger,
      peer,
    });
    if (connections.size >= limits.maxConnections) turnAway(session, stream);
    else {
      const connection = { session, stream };
      const done = session.run().finally(() => connections.delete(connection));
      connections.set(connection, done);
    }
  };

  const server = createServer({ allowHalfOpen: true, noDelay: true, keepAlive: true }, accept);
  return {
    listen: () => listen(server, options.host ?? "127.0.0.1", options.port ?? GIT_PORT, options.logger),
    async close({ graceMs = 0 } = {}) {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const stream of turnedAway) stream.destroy();
      const closing = new TransportTcpError("transport-tcp/closing", "the server is shutting down");
      for (const { session, stream } of connections.keys()) if (!session.requested) stream.fail(closing);
      await within(graceMs, connections);
      for (const { stream } of connections.keys()) stream.fail(closing);
      await within(ABORT_GRACE_MS, connections);
      for (const { stream } of connections.keys()) stream.destroy();
      await closed;
    },
  };
}

function listen(server: Server, host: string, port: number, logger: Logger | undefined) {
  return new Promise<{ readonly host: string; readonly port: number }>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host, port }, () => {
      server.off("error", reject);
      server.on("error", (error) => logger?.error({ error }, "the git:// port failed"));
      const address = server.address();
      if (address === null || typeof address === "string") reject(new Error("no TCP address"));
      else resolve({ host: address.address, port: address.port });
    });
  });
}

/** Waits until all are done, but not longer than `ms`. */
async function within(ms: number, connections: ReadonlyMap<Connection, Promise<void>>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([Promise.all(connections.values()), late]);
  clearTimeout(timer);
}
