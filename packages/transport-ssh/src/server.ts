import { createServer, type Server, type Socket } from "node:net";
import type { GitService, Logger, Metrics, Peer } from "@x/server-core";
import ssh2 from "ssh2";
import type { Authenticate } from "./authenticate.ts";
import { Connection } from "./connection.ts";
import type { HostKey } from "./host-key.ts";
import { DEFAULT_SSH_LIMITS, type SshLimits } from "./limits.ts";
import { Places } from "./places.ts";

/** What {@link createSshGitServer} is told. */
export interface SshGitServerOptions {
  readonly service: GitService;
  /** One of each type that clients may ask for; Ed25519 suits them all. */
  readonly hostKeys: readonly HostKey[];
  readonly authenticate: Authenticate;
  /** The address to listen on; `127.0.0.1` when not given. */
  readonly host?: string | undefined;
  /** 22 when not given; 0 for any free one. */
  readonly port?: number | undefined;
  /**
   * Gets a line for each connection or command that never became a call, with `request` as its message and level info.
   * How the channels of calls ended is told as `connection`, at level debug unless it was our doing.
   */
  readonly logger?: Logger | undefined;
  /** Hears of connections that are turned away. */
  readonly metrics?: Pick<Metrics, "connectionRefused"> | undefined;
  readonly limits?: Partial<SshLimits> | undefined;
}

/** An SSH server for Git. */
export interface SshGitServer {
  /** Opens the port. @throws Node's own error, for example with `code` `EADDRINUSE` */
  listen(): Promise<{ readonly host: string; readonly port: number }>;
  /**
   * Takes no more connections and lets running commands end. After `graceMs` they are aborted.
   * @param options `graceMs` 0 when not given
   */
  close(options?: { readonly graceMs?: number }): Promise<void>;
}

/** The port that SSH has from IANA. */
export const SSH_PORT = 22;

/** After an abort, a service that does not end is left behind. Unit: milliseconds. */
const ABORT_GRACE_MS = 1000;

/**
 * What is neither weak nor slow: no SHA-1, no CBC, no compression, whose bombs nobody would want to inflate, and no
 * ChaCha20, which `ssh2` does in JavaScript while every client that knows it knows AES-GCM too.
 */
const ALGORITHMS = {
  kex: [
    ...["curve25519-sha256", "curve25519-sha256@libssh.org"],
    ...["ecdh-sha2-nistp256", "ecdh-sha2-nistp384", "ecdh-sha2-nistp521"],
    ...["diffie-hellman-group16-sha512", "diffie-hellman-group14-sha256"],
  ],
  cipher: [
    ...["aes128-gcm@openssh.com", "aes256-gcm@openssh.com"],
    ...["aes128-ctr", "aes192-ctr", "aes256-ctr"],
  ],
  hmac: [
    ...["hmac-sha2-256-etm@openssh.com", "hmac-sha2-512-etm@openssh.com"],
    ...["hmac-sha2-256", "hmac-sha2-512"],
  ],
  compress: ["none"],
  serverHostKey: [
    ...["ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521"],
    ...["rsa-sha2-512", "rsa-sha2-256"],
  ],
};

/**
 * Serves `service` over SSH: public keys, Git's three commands, and nothing else of SSH.
 * Spec: gitprotocol-pack, "SSH Transport"; RFC 4251 to 4254
 */
export function createSshGitServer(options: SshGitServerOptions): SshGitServer {
  const limits: SshLimits = { ...DEFAULT_SSH_LIMITS, ...options.limits };
  const { service, authenticate, logger, metrics } = options;
  const connections = new Set<Connection>();
  const places = new Places(limits);
  const byOrigin = new Map<string, Connection>();

  const protocol = new ssh2.Server({
    hostKeys: options.hostKeys.map(({ text }) => text),
    ident: "xgit",
    keepaliveInterval: limits.keepaliveMs,
    keepaliveCountMax: 3,
    algorithms: ALGORITHMS,
  });
  protocol.on("connection", (client, { ip, port }) => {
    byOrigin.get(`${ip} ${port}`)?.attach(client);
  });

  const accept = (socket: Socket): void => {
    const { remoteAddress, remotePort } = socket;
    if (remoteAddress === undefined) return void socket.destroy();
    const peer: Peer = { address: remoteAddress.replace(/^::ffff:(?=\d+\.)/, "") };
    const place = places.take(peer.address as string);
    if (typeof place === "string") {
      metrics?.connectionRefused?.({ transport: "ssh", reason: place });
      return void turnAway(socket, peer, logger);
    }
    const connection = new Connection(socket, peer, {
      service,
      authenticate,
      limits,
      logger,
      onLogin: place.promote,
    });
    const origin = `${remoteAddress} ${remotePort}`;
    connections.add(connection);
    byOrigin.set(origin, connection);
    protocol.injectSocket(socket);
    connection.watch();
    void connection.closed.then(() => {
      connections.delete(connection);
      place.leave();
      if (byOrigin.get(origin) === connection) byOrigin.delete(origin);
    });
  };

  const server = createServer({ noDelay: true, keepAlive: true }, accept);
  return {
    listen: () => listen(server, options.host ?? "127.0.0.1", options.port ?? SSH_PORT, logger),
    async close({ graceMs = 0 } = {}) {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      const finished = Promise.all([...connections].map((connection) => connection.finish()));
      await within(graceMs, finished);
      for (const connection of connections)
        connection.fail("transport-ssh/closing", "the server is shutting down");
      await within(ABORT_GRACE_MS, Promise.all([...connections].map((connection) => connection.closed)));
      for (const connection of connections) connection.destroy();
      await closed;
    },
  };
}

/** SSH lets a server say something before its version, and clients show it. Spec: RFC 4253 section 4.2 */
function turnAway(socket: Socket, { address }: Peer, logger: Logger | undefined): void {
  logger?.info(
    {
      peer: address,
      transport: "ssh",
      outcome: "transport-ssh/too-many-connections",
      reason: "too many connections",
    },
    "request",
  );
  socket.on("error", () => {});
  socket.end("too many connections\r\n");
  setTimeout(() => socket.destroy(), 2000).unref();
}

function listen(server: Server, host: string, port: number, logger: Logger | undefined) {
  return new Promise<{ readonly host: string; readonly port: number }>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host, port }, () => {
      server.off("error", reject);
      server.on("error", (error) => logger?.error({ error }, "the ssh port failed"));
      const address = server.address();
      if (address === null || typeof address === "string") reject(new Error("no TCP address"));
      else resolve({ host: address.address, port: address.port });
    });
  });
}

/** Waits until it is done, but not longer than `ms`. */
async function within(ms: number, done: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([done, late]);
  clearTimeout(timer);
}
