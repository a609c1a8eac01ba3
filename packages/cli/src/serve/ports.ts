import type { GitServices, Logger } from "@x/server-core";
import { createFetchHandler } from "@x/transport-http";
import { createNodeHttpServer, type NodeHttpServer } from "@x/transport-http/node";
import { createTcpGitServer, GIT_PORT } from "@x/transport-tcp";
import type { Config } from "../config/load-config.ts";
import { CliError } from "../errors.ts";
import type { Address } from "./clone-lines.ts";
import { type Listening, listenOn } from "./listen.ts";
import { readTlsFiles, type TlsFiles, type TlsWatch, watchTlsFiles } from "./tls-files.ts";

/** A port that clients connect to. */
export type Port = Listening & { readonly scheme: Address["scheme"] };

/** The ports that are open. */
export interface OpenPorts {
  readonly list: readonly Port[];
  /** Reads the certificate anew. */
  renewCertificate(): Promise<void>;
  /** Takes no more connections and lets running requests end, for at most `graceMs`. */
  close(graceMs: number): Promise<void>;
}

/** Where HTTP listens when no port is given. */
const HTTP_PORT = 8418;

/** Opens what the config says. @throws CliError */
export async function openPorts(
  { service, dumb }: GitServices,
  config: Config,
  logger: Logger,
): Promise<OpenPorts> {
  const host = config.get("host");
  const list: Port[] = [];
  let watch: TlsWatch | undefined;
  const close = async (graceMs: number) => {
    watch?.close();
    await Promise.all(list.map(({ listener }) => listener.close({ graceMs })));
  };
  const limits = config.limits("http.limits");
  const handler = createFetchHandler({ service, dumb, logger, limits });
  try {
    const httpPort = config.get("http.port");
    if (httpPort !== "off") {
      const make = (port: number) => createNodeHttpServer({ handler, host, port, logger, limits });
      list.push({ scheme: "http", ...(await listenOn(make, httpPort, HTTP_PORT)) });
    }
    const httpsPort = config.get("https.port");
    if (httpsPort !== "off") {
      const files = tlsFilesOf(config);
      const tls = await readTlsFiles(files);
      let server: NodeHttpServer | undefined;
      const make = (port: number) => {
        server = secureServer(files, () =>
          createNodeHttpServer({ handler, host, port, logger, limits, tls }),
        );
        return server;
      };
      list.push({ scheme: "https", ...(await listenOn(make, httpsPort, httpsPort)) });
      watch = watchTlsFiles(files, (identity) => server?.renew(identity), logger);
    }
    const gitPort = config.get("git.port");
    if (gitPort !== "off") {
      const tcpLimits = config.limits("git.limits");
      const make = (port: number) => createTcpGitServer({ service, host, port, logger, limits: tcpLimits });
      list.push({ scheme: "git", ...(await listenOn(make, gitPort, GIT_PORT)) });
    }
  } catch (error) {
    await close(0);
    throw error;
  }
  return { list, close, renewCertificate: async () => watch?.renew() };
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
