import type { Logger } from "@x/server-core";
import { createNodeHttpServer, type NodeHttpServerOptions } from "@x/transport-http/node";
import type { SshGitServerOptions } from "@x/transport-ssh";
import { createTcpGitServer, type TcpGitServerOptions } from "@x/transport-tcp";
import type { GitServer } from "../git-server.ts";

/** Something that listens; what it serves was told to its maker. */
export interface Transport {
  listen(): Promise<{ readonly host: string; readonly port: number }>;
  close(options?: { readonly graceMs?: number }): Promise<void>;
}

/** Where {@link listen} listens, and how. */
export interface ListenOptions {
  /** http://, or https:// with `tls`; on any free port of 127.0.0.1 when it says nothing. */
  readonly http?: Omit<NodeHttpServerOptions, "handler" | "logger"> | undefined;
  /** git://, on 127.0.0.1:9418 when it says nothing. */
  readonly git?: Omit<TcpGitServerOptions, "service" | "logger"> | undefined;
  /** ssh://, on 127.0.0.1:22 when it says nothing of that. Takes `@x/transport-ssh`, which is to be installed beside. */
  readonly ssh?: Omit<SshGitServerOptions, "service" | "logger"> | undefined;
  /** Further ways in, by the scheme of their URLs. */
  readonly others?: Readonly<Record<string, (server: GitServer) => Transport>> | undefined;
  readonly logger?: Logger | undefined;
}

/** A server that listens. */
export interface Listening {
  /** A repository's URL: over `scheme`, or the first of those that were asked for: http, git, ssh, others. */
  url(repository: string, scheme?: string): string;
  /** By scheme. */
  readonly addresses: ReadonlyMap<string, { readonly host: string; readonly port: number }>;
  /** Takes no more connections, lets requests end, and cuts them off after `graceMs` (0 when not given). */
  close(options?: { readonly graceMs?: number }): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Opens ports for a server; over http on a free one when nothing is asked for. When one cannot be had the others are
 * closed again.
 * @throws Node's own error, for example with `code` `EADDRINUSE`
 */
export async function listen(server: GitServer, options: ListenOptions = {}): Promise<Listening> {
  const { http, git, ssh, others = {}, logger } = options;
  const transports = new Map<string, Transport>();
  const isAlone = git === undefined && ssh === undefined && Object.keys(others).length === 0;
  const isHttp = http !== undefined || isAlone;
  if (isHttp)
    transports.set(http?.tls ? "https" : "http", createNodeHttpServer({ ...http, handler: server, logger }));
  if (git !== undefined)
    transports.set("git", createTcpGitServer({ ...git, service: server.service, logger }));
  if (ssh !== undefined) {
    const { createSshGitServer } = await import("@x/transport-ssh");
    transports.set("ssh", createSshGitServer({ ...ssh, service: server.service, logger }));
  }
  for (const [scheme, create] of Object.entries(others)) transports.set(scheme, create(server));

  const addresses = new Map<string, { readonly host: string; readonly port: number }>();
  const close = async (closing?: { readonly graceMs?: number }): Promise<void> => {
    const open = [...transports].filter(([scheme]) => addresses.has(scheme));
    await Promise.all(open.map(([, transport]) => transport.close(closing)));
  };
  for (const [scheme, transport] of transports) {
    try {
      const { host, port } = await transport.listen();
      addresses.set(scheme, { host, port });
    } catch (error) {
      await close();
      throw error;
    }
  }
  const [first = "http"] = addresses.keys();
  const closeAll = async (closing: { readonly graceMs?: number } = {}): Promise<void> => {
    await Promise.all([close(closing), server.close(closing)]);
  };
  return {
    addresses,
    url: (repository, scheme = first) => urlOf(scheme, addresses.get(scheme), repository),
    close: closeAll,
    [Symbol.asyncDispose]: () => closeAll(),
  };
}

function urlOf(
  scheme: string,
  address: { readonly host: string; readonly port: number } | undefined,
  repository: string,
): string {
  if (address === undefined) throw new RangeError(`the server does not listen for ${scheme}://`);
  const host = address.host.includes(":") ? `[${address.host}]` : address.host;
  // Whoever logs in is known by the key; git's own clients write that name.
  const login = scheme === "ssh" ? "git@" : "";
  return `${scheme}://${login}${host}:${address.port}/${repository.split("/").map(encodeURIComponent).join("/")}`;
}
