import type { Access } from "@x/access-rules";
import type { GitServices, Logger, Metrics } from "@x/server-core";
import { createFetchHandler, type FetchHandler } from "@x/transport-http";
import { createNodeHttpServer, type NodeHttpServer } from "@x/transport-http/node";
import { createTcpGitServer, GIT_PORT } from "@x/transport-tcp";
import type { Config } from "../config/load-config.ts";
import { CliError } from "../errors.ts";
import type { Terminal } from "../terminal.ts";
import type { Address } from "./clone-lines.ts";
import { type Listening, listenOn } from "./listen.ts";
import { readTlsFiles, type TlsFiles, type TlsWatch, watchTlsFiles } from "./tls-files.ts";

/** A port that clients connect to. */
export type Port = Listening & {
  readonly scheme: Address["scheme"];
  /** What a client is shown of the server's key. */
  readonly fingerprint?: string | undefined;
};

/** The ports that are open. */
export interface OpenPorts {
  readonly list: readonly Port[];
  /** Reads the certificate anew. */
  renewCertificate(): Promise<void>;
  /** Takes no more connections and lets running requests end, for at most `graceMs`. */
  close(graceMs: number): Promise<void>;
}

/** What ports are opened for. */
export interface PortParts {
  readonly services: GitServices;
  readonly config: Config;
  readonly logger: Logger;
  readonly metrics: Metrics | undefined;
  /** Knows users and their keys. */
  readonly access: Access | undefined;
  readonly env: Terminal["env"];
}

/** Where HTTP listens when no port is given. */
const HTTP_PORT = 8418;

/** Whether the config asks for a port that clients connect to. */
export function hasPorts(config: Config): boolean {
  const keys = ["http.port", "https.port", "git.port"] as const;
  return keys.some((key) => config.get(key) !== "off") || hasSshPort(config);
}

function hasSshPort(config: Config): boolean {
  return config.get("ssh.port") !== "off" && (config.get("ssh.port") ?? config.get("ssh.keys")) !== undefined;
}

/** Opens what the config says. @throws CliError */
export async function openPorts(parts: PortParts): Promise<OpenPorts> {
  const { services, config, logger } = parts;
  const list: Port[] = [];
  let watch: TlsWatch | undefined;
  const close = async (graceMs: number) => {
    watch?.close();
    await Promise.all(list.map(({ listener }) => listener.close({ graceMs })));
  };
  try {
    const { service } = services;
    const dumb = config.get("http.dumb") ? services.dumb : undefined;
    const origins = config.get("http.corsOrigins");
    const handler = createFetchHandler({
      service,
      dumb,
      logger,
      limits: config.limits("http.limits"),
      cors: origins.length > 0 ? { origins } : undefined,
    });
    if (config.get("http.port") !== "off") list.push(await openHttp(parts, handler));
    if (config.get("https.port") !== "off") {
      const { port, ...watched } = await openHttps(parts, handler);
      list.push(port);
      watch = watched.watch;
    }
    if (config.get("git.port") !== "off") list.push(await openGit(parts));
    if (hasSshPort(config)) {
      const { openSsh } = await import("./ssh-port.ts");
      list.push(await openSsh(parts));
    }
  } catch (error) {
    await close(0);
    throw error;
  }
  return { list, close, renewCertificate: async () => watch?.renew() };
}

/** The port that a setting names; `undefined` for the usual one. */
function portOf(config: Config, key: "http.port" | "https.port" | "git.port"): number | undefined {
  const port = config.get(key);
  return port === "off" ? undefined : port;
}

async function openHttp({ config, logger, metrics }: PortParts, handler: FetchHandler): Promise<Port> {
  const limits = config.limits("http.limits");
  const host = config.get("host");
  const make = (port: number) => createNodeHttpServer({ handler, host, port, logger, metrics, limits });
  return { scheme: "http", ...(await listenOn(make, portOf(config, "http.port"), HTTP_PORT)) };
}

async function openHttps({ config, logger, metrics }: PortParts, handler: FetchHandler) {
  const limits = config.limits("http.limits");
  const host = config.get("host");
  const files = tlsFilesOf(config);
  const tls = await readTlsFiles(files);
  let server: NodeHttpServer | undefined;
  const make = (port: number) => {
    server = secureServer(files, () =>
      createNodeHttpServer({ handler, host, port, logger, metrics, limits, tls }),
    );
    return server;
  };
  const asked = portOf(config, "https.port") ?? 0;
  const port: Port = { scheme: "https", ...(await listenOn(make, asked, asked)) };
  return { port, watch: watchTlsFiles(files, (identity) => server?.renew(identity), logger) };
}

async function openGit({ services: { service }, config, logger, metrics }: PortParts): Promise<Port> {
  const limits = config.limits("git.limits");
  const host = config.get("host");
  const make = (port: number) => createTcpGitServer({ service, host, port, logger, metrics, limits });
  return { scheme: "git", ...(await listenOn(make, portOf(config, "git.port"), GIT_PORT)) };
}

function tlsFilesOf(config: Config): TlsFiles {
  const certificate = config.get("https.certificate");
  const key = config.get("https.key");
  if (certificate === undefined || key === undefined)
    throw new CliError("cli/usage", "https.port goes with https.certificate and https.key");
  return { certificate, key };
}

function secureServer(files: TlsFiles, make: () => NodeHttpServer): NodeHttpServer {
  try {
    return make();
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new CliError("cli/fatal", `${files.certificate} and ${files.key}: ${why}`, { cause });
  }
}
