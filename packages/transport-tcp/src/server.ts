import { createServer, type Server, type Socket } from "node:net";
import type { Metrics, RefusalLabels } from "@x/server-core";
import { addressKey, ConnectionShares } from "./connection-shares.ts";
import { TransportTcpError } from "./errors.ts";
import { DEFAULT_TCP_LIMITS, type TcpLimits } from "./limits.ts";
import { closeAll, type ListenAddress, openAll } from "./listen.ts";
import { type ConnectionOptions, openSession } from "./serve-connection.ts";
import type { Session } from "./session.ts";
import type { SocketStream } from "./socket-stream.ts";

/** What {@link createTcpGitServer} is told. */
export interface TcpGitServerOptions extends ConnectionOptions {
  /** The address to listen on; `127.0.0.1` when not given. */
  readonly host?: string | undefined;
  /** 9418 when not given; 0 for any free one. */
  readonly port?: number | undefined;
  /** The addresses to listen on, instead of `host` and `port`; these two stand for what one of them does not say. */
  readonly addresses?: readonly ListenAddress[] | undefined;
  /** Hears of connections that are turned away. */
  readonly metrics?: Pick<Metrics, "connectionRefused"> | undefined;
  /** Hears of an address that cannot be had. Then the others are enough, if there are any. */
  readonly onAddressFailure?: ((address: ListenAddress, error: Error) => void) | undefined;
}

/** Where a server listens. */
export interface TcpListening {
  readonly host: string;
  readonly port: number;
  /** All of them; `host` and `port` are the first. */
  readonly addresses: readonly { readonly host: string; readonly port: number }[];
}

/** A git:// server. */
export interface TcpGitServer {
  /** Opens the ports. @throws Node's own error, for example with `code` `EADDRINUSE` */
  listen(): Promise<TcpListening>;
  /**
   * Takes no more connections and lets running requests end. After `graceMs` they are aborted.
   * @param options `graceMs` 0 when not given
   */
  close(options?: { readonly graceMs?: number }): Promise<void>;
}

interface Connection {
  readonly address: string;
  readonly requested: boolean;
  readonly session: Session;
  readonly stream: SocketStream;
}

/** The port that git:// has from IANA. */
export const GIT_PORT = 9418;

/** After an abort, a service that does not end is left behind. Unit: milliseconds. */
const ABORT_GRACE_MS = 1000;

/** A silent peer is asked after that long whether it is there. Unit: milliseconds. */
const KEEPALIVE_MS = 60_000;

/** Serves `service` over git://: plain, unauthenticated TCP. Spec: gitprotocol-pack, "Git Transport". */
export function createTcpGitServer(options: TcpGitServerOptions): TcpGitServer {
  const limits: TcpLimits = { ...DEFAULT_TCP_LIMITS, ...options.limits };
  const connections = new Map<Connection, Promise<void>>();
  const shares = new ConnectionShares<Connection>(limits.maxConnections, limits.maxConnectionsPerAddress);
  /** They are told so, and count no more. */
  const turnedAway = new Set<SocketStream>();
  const mayBeTold = () => turnedAway.size < Math.min(limits.maxConnections, 256);

  const turnAway = (
    stream: SocketStream,
    reason: RefusalLabels["reason"],
    tell: () => Promise<void> | undefined,
  ): void => {
    options.metrics?.connectionRefused?.({ transport: "git", reason });
    if (mayBeTold()) {
      turnedAway.add(stream);
      void tell()?.finally(() => turnedAway.delete(stream));
    } else stream.destroy();
  };

  const displace = (connection: Connection): void => {
    shares.delete(connection);
    turnAway(connection.stream, "displaced", () => {
      connection.stream.fail(tooMany());
      return connections.get(connection);
    });
  };

  const accept = (socket: Socket): void => {
    const peerAddress = plainAddress(socket.remoteAddress);
    const ends = {
      peer: { address: peerAddress, port: socket.remotePort },
      localAddress: plainAddress(socket.localAddress),
      localPort: socket.localPort,
    };
    const { session, stream } = openSession(socket, ends, { ...options, limits });
    const address = addressKey(peerAddress ?? "");
    const room = shares.roomFor(address);
    if (room === "no") {
      turnAway(stream, shares.reasonFor(address), () => session.run(tooMany()));
      return;
    }
    if (room !== "yes") displace(room);
    const connection: Connection = {
      address,
      get requested() {
        return session.requested;
      },
      session,
      stream,
    };
    shares.add(connection);
    const done = session.run().finally(() => {
      shares.delete(connection);
      connections.delete(connection);
    });
    connections.set(connection, done);
  };

  const servers: Server[] = [];
  return {
    async listen() {
      const make = () =>
        createServer(
          { allowHalfOpen: true, noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEPALIVE_MS },
          accept,
        );
      const first = { host: options.host ?? "127.0.0.1", port: options.port ?? GIT_PORT };
      const addresses = (options.addresses ?? [first]).map((address) => ({ ...first, ...address }));
      const opened = await openAll(addresses, make, options);
      servers.push(...opened.map(({ server }) => server));
      const where = opened.map(({ host, port }) => ({ host, port }));
      return { ...(where[0] as { host: string; port: number }), addresses: where };
    },

    async close({ graceMs = 0 } = {}) {
      const closed = closeAll(servers);
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

function tooMany(): TransportTcpError {
  return new TransportTcpError("transport-tcp/too-many-connections", "too many connections");
}

/** An IPv4 address as such, even where IPv6 carries it. */
function plainAddress(address: string | undefined): string | undefined {
  return address?.replace(/^::ffff:(?=\d+\.)/i, "");
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
