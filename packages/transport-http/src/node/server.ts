import { createServer, type RequestListener, type Server } from "node:http";
import { createServer as createTlsServer, type Server as TlsServer } from "node:https";
import type { Logger } from "@x/server-core";
import type { FetchHandler } from "../fetch-handler.ts";
import { type NodeListenerOptions, toNodeListener } from "./listener.ts";

/** What {@link createNodeHttpServer} is told. */
export interface NodeHttpServerOptions {
  readonly handler: FetchHandler;
  /** The address to listen on; `127.0.0.1` when not given. */
  readonly host?: string | undefined;
  /** Any free one when 0 or not given. */
  readonly port?: number | undefined;
  readonly logger?: Logger | undefined;
  readonly limits?: NodeListenerOptions | undefined;
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

const SETTINGS = {
  // Node's default of five minutes for a whole request would cut off a long push.
  requestTimeout: 0,
  headersTimeout: 15_000,
  connectionsCheckingInterval: 5000,
  keepAliveTimeout: 15_000,
  keepAlive: true,
};

/** `node:http` with settings that suit Git: a request may take hours, as long as it moves; its head may not. */
export function createNodeHttpServer(options: NodeHttpServerOptions): NodeHttpServer {
  const listener = toNodeListener(options.handler, options.limits);
  let closing = false;
  const serve: RequestListener = (message, reply) => {
    if (closing) reply.shouldKeepAlive = false;
    reply.once("close", () => closing && setImmediate(() => server.closeIdleConnections()));
    listener(message, reply);
  };
  const tlsServer =
    options.tls && createTlsServer({ ...SETTINGS, ...secure(options.tls), handshakeTimeout: 15_000 }, serve);
  const server = tlsServer ?? createServer(SETTINGS, serve);
  server.maxHeadersCount = 256;
  return {
    listen: () => listen(server, options.host ?? "127.0.0.1", options.port ?? 0, options.logger),
    async close({ graceMs = 0 } = {}) {
      closing = true;
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeIdleConnections();
      const timer = setTimeout(() => server.closeAllConnections(), graceMs);
      await closed;
      clearTimeout(timer);
    },
    renew: (tls) => tlsServer?.setSecureContext(secure(tls)),
  };
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
