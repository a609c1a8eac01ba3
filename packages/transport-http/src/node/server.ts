import { createServer, type RequestListener, type Server } from "node:http";
import { createServer as createTlsServer, type Server as TlsServer } from "node:https";
import type { Logger, Metrics } from "@x/server-core";
import type { FetchHandler } from "../fetch-handler.ts";
import { type ConnectionLimits, guardConnections } from "./connection-gate.ts";
import { type NodeListenerOptions, toNodeListener } from "./listener.ts";
import { OpenSockets } from "./open-sockets.ts";

/** How patient a server is, and how many it serves. Times are in milliseconds. */
export interface NodeServerLimits extends NodeListenerOptions, Partial<ConnectionLimits> {
  /** The head of a request has to be in after so long, the first one from when the client connects. 10,000 when not given. */
  readonly headersTimeoutMs?: number | undefined;
  /** A connection may wait for its next request that long. 15,000 when not given. */
  readonly keepAliveTimeoutMs?: number | undefined;
  /** The head of a request, together. 16 KiB when not given. Unit: bytes. */
  readonly maxHeaderBytes?: number | undefined;
}

/** What {@link createNodeHttpServer} is told. */
export interface NodeHttpServerOptions {
  readonly handler: Pick<FetchHandler, "answer">;
  /** The address to listen on; `127.0.0.1` when not given. */
  readonly host?: string | undefined;
  /** Any free one when 0 or not given. */
  readonly port?: number | undefined;
  readonly logger?: Logger | undefined;
  /** Hears of connections that are turned away. */
  readonly metrics?: Pick<Metrics, "connectionRefused"> | undefined;
  readonly limits?: NodeServerLimits | undefined;
  /** Serves https:// as this, with TLS 1.2 at least; otherwise http://. */
  readonly tls?: TlsIdentity | undefined;
}

/** Who a server is: what the two files hold, in PEM. */
export interface TlsIdentity {
  /** The certificate and those that lead to its root. */
  readonly certificate: string;
  readonly key: string;
}

/** An HTTP server of its own. */
export interface NodeHttpServer {
  /** Opens the port. @throws Node's own error, for example with `code` `EADDRINUSE` */
  listen(): Promise<{ readonly host: string; readonly port: number }>;
  /**
   * Takes no more connections and lets running requests end. After `graceMs` they are cut off.
   * @param options `graceMs` 0 when not given
   */
  close(options?: { readonly graceMs?: number }): Promise<void>;
  /**
   * Meets new connections as `tls`; those that are open go on. Only for a server that was made with `tls`.
   * @throws Node's own error when it is no good; then the old one stays
   */
  renew(tls: TlsIdentity): void;
}

/** Lines of one head. */
const MAX_HEADERS = 256;

/** `node:http` with settings that suit Git: a request may take hours, as long as it moves; its head may not. */
export function createNodeHttpServer(options: NodeHttpServerOptions): NodeHttpServer {
  const { limits = {}, logger, metrics } = options;
  const transport = options.tls === undefined ? "http" : "https";
  const listener = toNodeListener(options.handler, limits);
  let closing = false;
  const server = makeServer(options, (message, reply) => {
    if (closing) reply.shouldKeepAlive = false;
    reply.once("close", () => closing && setImmediate(() => server.closeIdleConnections()));
    listener(message, reply);
  });
  server.maxHeadersCount = MAX_HEADERS;
  // A client that sends no more may still wait for its answer. Documented nowhere, and so missing in the types.
  Object.assign(server, { httpAllowHalfOpen: true });
  const { maxConnections = 1024 } = limits;
  guardConnections(
    server,
    options.tls === undefined ? "connection" : "secureConnection",
    {
      maxConnections,
      maxConnectionsPerAddress: limits.maxConnectionsPerAddress ?? Math.ceil(maxConnections / 2),
    },
    (address, reason) => {
      metrics?.connectionRefused?.({ transport, reason });
      logger?.warn({ transport, peer: address, reason }, "a connection was turned away");
    },
  );
  const sockets = new OpenSockets(server);
  return {
    listen: () => listen(server, options.host ?? "127.0.0.1", options.port ?? 0, logger),
    async close({ graceMs = 0 } = {}) {
      closing = true;
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeIdleConnections();
      const timer = setTimeout(() => sockets.cutOff(), graceMs);
      await closed;
      clearTimeout(timer);
    },
    renew: (tls) => {
      if ("setSecureContext" in server) server.setSecureContext(secure(tls));
    },
  };
}

function makeServer(
  { tls, limits = {} }: NodeHttpServerOptions,
  listener: RequestListener,
): Server | TlsServer {
  const settings = {
    // Node's default of five minutes for a whole request would cut off a long push.
    requestTimeout: 0,
    headersTimeout: limits.headersTimeoutMs ?? 10_000,
    connectionsCheckingInterval: Math.min(1000, limits.headersTimeoutMs ?? 1000),
    keepAliveTimeout: limits.keepAliveTimeoutMs ?? 15_000,
    maxHeaderSize: limits.maxHeaderBytes ?? 16 * 1024,
    keepAlive: true,
    allowHalfOpen: true,
  };
  if (tls === undefined) return createServer(settings, listener);
  const handshakeTimeout = settings.headersTimeout;
  return createTlsServer({ ...settings, ...secure(tls), handshakeTimeout }, listener);
}

function secure({ certificate, key }: TlsIdentity) {
  return { cert: certificate, key, minVersion: "TLSv1.2" } as const;
}

function listen(server: Server | TlsServer, host: string, port: number, logger: Logger | undefined) {
  return new Promise<{ readonly host: string; readonly port: number }>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host, port }, () => {
      server.off("error", reject);
      server.on("error", (error) => logger?.error({ error }, "the http port failed"));
      const address = server.address();
      if (address === null || typeof address === "string") reject(new Error("no TCP address"));
      else resolve({ host: address.address, port: address.port });
    });
  });
}
