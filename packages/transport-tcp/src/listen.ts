import type { Server } from "node:net";
import type { Logger } from "@x/server-core";

/** One address of a server. */
export interface ListenAddress {
  /** An IP address or a name; of a name the first address counts. `::` takes IPv4 too, unless `ipv6Only`. */
  readonly host?: string | undefined;
  /** 0 for any free one. */
  readonly port?: number | undefined;
  readonly ipv6Only?: boolean | undefined;
}

/** A port that is open. */
export interface Opened {
  readonly server: Server;
  readonly host: string;
  readonly port: number;
}

/** Opens all of them, or none. @throws Node's own error */
export async function openAll(
  addresses: readonly ListenAddress[],
  make: () => Server,
  {
    logger,
    onAddressFailure,
  }: {
    readonly logger?: Logger | undefined;
    readonly onAddressFailure?: ((address: ListenAddress, error: Error) => void) | undefined;
  },
): Promise<readonly Opened[]> {
  const opened: Opened[] = [];
  let failure = new Error("no address to listen on");
  for (const address of addresses)
    try {
      opened.push(await open(make(), address, logger));
    } catch (thrown) {
      failure = thrown instanceof Error ? thrown : new Error(String(thrown));
      if (onAddressFailure === undefined) {
        await closeAll(opened.map(({ server }) => server));
        throw failure;
      }
      onAddressFailure(address, failure);
    }
  if (opened.length === 0) throw failure;
  return opened;
}

/** Takes no more connections; resolves when there are none left. */
export async function closeAll(servers: readonly Server[]): Promise<void> {
  await Promise.all(servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve()))));
}

function open(
  server: Server,
  { host, port, ipv6Only = false }: ListenAddress,
  logger: Logger | undefined,
): Promise<Opened> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host, port, ipv6Only }, () => {
      server.off("error", reject);
      server.on("error", (error) => logger?.error({ error }, "the git:// port failed"));
      const address = server.address();
      if (address === null || typeof address === "string") reject(new Error("no TCP address"));
      else resolve({ server, host: address.address, port: address.port });
    });
  });
}
